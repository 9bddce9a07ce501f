"""Combines several answers to the fields of a form. A field's answer is an array of answers, each an array of
values."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from refonte_studio.task_types.parts.answers import QuestionAnswer, likeness_of, set_likeness, settle_answer, typical
from refonte_studio.task_types.parts.forms import Field
from refonte_studio.task_types.parts.panel import Panel
from refonte_studio.task_types.parts.questionnaire import choices_to, votes_reader

Answers = list[list[Any]]


def settle_field(
    field: Field, name: str, given: Sequence[Answers | None], panel: Panel
) -> tuple[Answers | None, list[QuestionAnswer]]:
    """Returns the combined answers, None if the field stays open, with the confidence of each question in it."""
    if field.most_answers > 1:
        found = _whole(given, panel)
        return found.value, [found]
    if not field.inner:
        found = settle_answer(field.asked, name, [_value(field, each) for each in given], panel)
        return _as_answers(field, found.value), [found]
    present = [each is not None for each in given]
    if not panel.most(present):
        return None, [QuestionAnswer(None, panel.support([0.0 if each else 1.0 for each in present]))]
    sets: list[dict[str, Any]] = [{} if each is None else each[0][0] for each in given]
    value: dict[str, Any] = {}
    settled: list[QuestionAnswer] = []
    for key, inner in field.inner.items():
        said = [[each[key]] if key in each else None for each in sets]
        if any(said):
            answers, found = settle_field(inner, f"{name}/{key}", said, panel)
            settled += found
            value |= {} if answers is None else {key: answers[0]}
    return [[value]], settled


def _whole(given: Sequence[Answers | None], panel: Panel) -> QuestionAnswer:
    """Combines all answers to a field as one."""
    present = [each is not None for each in given]
    if not panel.most(present):
        return QuestionAnswer(None, panel.support([0.0 if each else 1.0 for each in present]))
    places = [place for place, each in enumerate(present) if each]
    found = given[places[typical([given[place] for place in places], panel.part(places))]]
    alike = [0.0 if each is None or found is None else set_likeness(each, found) for each in given]
    return QuestionAnswer(found, panel.support(alike))


def _value(field: Field, answers: Answers | None) -> Any:
    """Returns the only answer as a value: an array if several choices are allowed, otherwise a single value."""
    if not answers:
        return None
    return answers[0] if field.asked.multiple else answers[0][0]


def _as_answers(field: Field, value: Any) -> Answers | None:
    if value is None:
        return None
    return [value] if field.asked.multiple else [[value]]


def field_likenesses(field: Field, one: Answers | None, other: Answers | None) -> list[float]:
    """Returns the similarity of two answers to the field by question; empty if both leave it open."""
    if one is None and other is None:
        return []
    if one is None or other is None:
        return [0.0]
    if field.most_answers > 1:
        return [set_likeness(one, other)]
    if not field.inner:
        return [likeness_of(field.asked)(_value(field, one), _value(field, other))]
    mine, theirs = one[0][0], other[0][0]
    found: list[float] = []
    for key, inner in field.inner.items():
        found += field_likenesses(inner, *([each[key]] if key in each else None for each in (mine, theirs)))
    return found


def form_reader(fields: Mapping[str, Field], prefix: str) -> Callable[[Mapping[str, Answers]], dict[str, str]]:
    """Returns a function that extracts the answers that a judge decides on, by the names that `settle_field` uses."""
    plain = {name: field for name, field in fields.items() if field.most_answers == 1 and not field.inner}
    read = votes_reader({name: field.asked for name, field in plain.items()}, prefix)
    sets = {
        name: form_reader(field.inner, f"{prefix}/{name}")
        for name, field in fields.items()
        if field.most_answers == 1 and field.inner
    }

    def votes(given: Mapping[str, Answers]) -> dict[str, str]:
        found = read({name: _value(field, given[name]) for name, field in plain.items() if name in given})
        for name, inner in sets.items():
            if name in given:
                found |= inner({key: [values] for key, values in given[name][0][0].items()})
        return found

    return votes


def form_choices(fields: Mapping[str, Field], prefix: str) -> dict[str, int]:
    """Returns the number of labels of each question that `form_reader` extracts."""
    single = {name: field for name, field in fields.items() if field.most_answers == 1}
    found = choices_to({name: field.asked for name, field in single.items() if not field.inner}, prefix)
    for name, field in single.items():
        found |= form_choices(field.inner, f"{prefix}/{name}")
    return found
