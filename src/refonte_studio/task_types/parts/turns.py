"""Labels of the turns of a conversation: `[{turn, labels, comment?}]`, by message number."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from refonte_studio.task_types.parts.answers import QuestionAnswer, set_likeness, settle_answer, settle_choices
from refonte_studio.task_types.parts.checks import a_choice, a_text, a_whole, an_array, at, missing, record, refuse
from refonte_studio.task_types.parts.panel import Panel
from refonte_studio.task_types.parts.questionnaire import ballot
from refonte_studio.task_types.parts.questions import Question

Turn = dict[str, Any]

_COMMENT = Question("comment", "text", "text", required=False)


def check_turns(given: object, labels: Mapping[str, None], count: int, path: str) -> list[Turn]:
    """Checks for at most one entry for each of `count` messages, in order, each with a label or a comment."""
    found: dict[int, Turn] = {}
    for index, each in enumerate(an_array(given, path, most=count)):
        here = at(path, index)
        entry = record(each, here, ("turn", "labels"), ("comment",))
        turn = a_whole(entry["turn"], at(here, "turn"), 0, count - 1)
        if turn in found:
            refuse(at(here, "turn"), turn, "is labeled twice")
        checked: Turn = {"turn": turn, "labels": _labels(entry["labels"], labels, at(here, "labels"))}
        if entry.get("comment") is not None and a_text(entry["comment"], at(here, "comment")).strip():
            checked["comment"] = entry["comment"]
        if not checked["labels"] and "comment" not in checked:
            missing(here, "has neither a label nor a comment; leave it out instead")
        found[turn] = checked
    return [found[turn] for turn in sorted(found)]


def _labels(given: object, labels: Mapping[str, None], path: str) -> list[str]:
    """Returns the labels in the order of the task."""
    met: set[str] = set()
    for index, each in enumerate(an_array(given, path)):
        name = a_choice(each, at(path, index), labels)
        if name in met:
            refuse(at(path, index), name, "is given twice")
        met.add(name)
    return [each for each in labels if each in met]


def settle_turns(
    given: Sequence[Sequence[Turn]], labels: Mapping[str, None], panel: Panel
) -> tuple[list[Turn], list[QuestionAnswer]]:
    """Combines several people's labels of the turns, with the confidence of each turn that anybody labeled.

    The judge decides on every label. There is a comment if most have one: the most typical one.
    """
    said = [{entry["turn"]: entry for entry in each} for each in given]
    found: list[Turn] = []
    answers: list[QuestionAnswer] = []
    for turn in sorted({turn for each in said for turn in each}):
        entries = [each.get(turn, {}) for each in said]
        kept = settle_choices(f"turns/{turn}", [each.get("labels", []) for each in entries], 0, len(labels), panel)
        comment = settle_answer(_COMMENT, "", [each.get("comment") for each in entries], panel)
        answers.append(kept)
        if kept.value or comment.value is not None:
            entry: Turn = {"turn": turn, "labels": [each for each in labels if each in kept.value]}
            found.append(entry if comment.value is None else {**entry, "comment": comment.value})
    return found, answers or [QuestionAnswer([], panel.support([1.0] * len(given)))]


def turns_likeness(one: Sequence[Turn], other: Sequence[Turn]) -> float:
    """Returns the F1 of the labels with their turns. Comments are not compared."""
    return set_likeness(
        *([[entry["turn"], label] for entry in each for label in entry["labels"]] for each in (one, other))
    )


def turns_reader(labels: Mapping[str, None], count: int) -> Callable[[Sequence[Turn]], dict[str, str]]:
    """Returns a function that extracts whether each label of each turn is set, by the names that `settle_turns`
    uses."""
    options = [{label: f"turns/{turn}/{label}" for label in labels} for turn in range(count)]

    def read(turns: Sequence[Turn]) -> dict[str, str]:
        made = {entry["turn"]: entry["labels"] for entry in turns}
        return {
            name: vote for turn, each in enumerate(options) for name, vote in ballot(each, made.get(turn, ())).items()
        }

    return read
