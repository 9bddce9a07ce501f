"""Combines answers to several questions, question by question."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from refonte_studio.task_types.parts.answers import (
    QuestionAnswer,
    choice_name,
    choices_of,
    is_decided,
    likeness_of,
    settle_answer,
)
from refonte_studio.task_types.parts.panel import Panel, label
from refonte_studio.task_types.parts.questions import Question

Values = Mapping[str, Any]  # answers by question, without those left open
Questions = Mapping[str, Question]


def mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def answers_to(questions: Questions, prefix: str, given: Sequence[Values], panel: Panel) -> dict[str, QuestionAnswer]:
    """Combines the answers to each question that anybody answered; judges know a question by prefix and name."""
    return {
        name: settle_answer(asked, f"{prefix}/{name}", [each.get(name) for each in given], panel)
        for name, asked in questions.items()
        if any(each.get(name) is not None for each in given)
    }


def values_of(answers: Mapping[str, QuestionAnswer]) -> dict[str, Any]:
    return {name: answer.value for name, answer in answers.items() if answer.value is not None}


def confidence_of(answers: Sequence[QuestionAnswer], panel: Panel) -> float:
    """Returns the expected share of correct answers: the mean over the questions that anybody answered.

    It is not the probability that all are correct, which would be near 0 for any long form. Attempts are scored by the
    same measure.
    """
    if not answers:
        return panel.support([1.0] * len(panel.weights))
    return mean([answer.confidence for answer in answers])


def likeness(questions: Questions, one: Values, other: Values) -> float:
    """Returns the mean over the questions that either answers; 1 if neither answers any."""
    alike = likenesses(questions, one, other)
    return mean(alike) if alike else 1.0


def likenesses(questions: Questions, one: Values, other: Values) -> list[float]:
    """Returns the similarity by question; an answer and no answer have similarity 0."""
    found: list[float] = []
    for name, asked in questions.items():
        mine, theirs = one.get(name), other.get(name)
        if mine is not None and theirs is not None:
            found.append(likeness_of(asked)(mine, theirs))
        elif mine is not None or theirs is not None:
            found.append(0.0)
    return found


def votes_reader(questions: Questions, prefix: str) -> Callable[[Values], dict[str, str]]:
    """Returns a function that extracts the answers that a judge decides on, by the names that `answers_to` uses."""
    decided = {name: f"{prefix}/{name}" for name, asked in questions.items() if is_decided(asked)}
    several = {name: _ballot(asked, prefix) for name, asked in questions.items() if _is_several(asked)}

    def read(values: Values) -> dict[str, str]:
        found = {vote: label(values[name]) for name, vote in decided.items() if values.get(name) is not None}
        for name, options in several.items():
            if values.get(name) is not None:
                found.update(ballot(options, values[name]))
        return found

    return read


def ballot(options: Mapping[str, str], made: Sequence[Any]) -> dict[str, str]:
    """Returns yes for the choices made and no for all others; `options` maps `choice_name` to the names of votes."""
    found = dict.fromkeys(options.values(), "false")
    for value in made:
        found[options[choice_name(value)]] = "true"
    return found


def _is_several(asked: Question) -> bool:
    return asked.kind == "category" and asked.multiple


def _ballot(asked: Question, prefix: str) -> Mapping[str, str]:
    names = [choice_name(option) for option in (asked.options or {}).values()]
    return {name: f"{prefix}/{asked.name}/{name}" for name in names}


def choices_to(questions: Questions, prefix: str) -> dict[str, int]:
    """Returns the number of labels of each question that `votes_reader` extracts."""
    found: dict[str, int] = {}
    for name, asked in questions.items():
        if is_decided(asked):
            found[f"{prefix}/{name}"] = choices_of(asked) or 0
        elif _is_several(asked):
            found.update(dict.fromkeys(_ballot(asked, prefix).values(), 2))
    return found
