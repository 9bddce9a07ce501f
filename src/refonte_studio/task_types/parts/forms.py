"""The fields of a form; a field may be a set of further fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from refonte_studio.task_types.parts.checks import (
    MAX_ITEMS,
    UniqueIds,
    a_flag,
    a_whole,
    an_array,
    an_object,
    at,
    missing,
    record,
)
from refonte_studio.task_types.parts.questions import Question, check_values, question, sample_values

MAX_FIELDS = 1_000
MAX_DEPTH = 5
MAX_ANSWERS = 100
_SETS = ("field_set", "fieldset")


@dataclass(frozen=True, slots=True)
class Field:
    """A question, how often it may be answered, and the fields of a set."""

    asked: Question
    fewest_answers: int = 1
    most_answers: int = 1
    inner: Mapping[str, "Field"] = field(default_factory=dict[str, "Field"])


def fields_of(params: Mapping[str, Any]) -> Mapping[str, Field]:
    """Returns the form's fields by field_id."""
    fields = params.get("fields")
    return missing("fields") if fields is None else _read(fields, "fields", 0)


def _read(fields: object, path: str, depth: int) -> Mapping[str, Field]:
    if depth > MAX_DEPTH:
        missing(path, f"is nested more than {MAX_DEPTH} deep")
    used = UniqueIds()
    found: dict[str, Field] = {}
    for index, spec in enumerate(an_array(fields, path, least=1, most=MAX_FIELDS)):
        each = _field(an_object(spec, at(path, index)), at(path, index), depth, used)
        found[each.asked.name] = each
    return found


def _field(spec: dict[str, Any], path: str, depth: int, used: UniqueIds) -> Field:
    if spec.get("field_id") is None:
        missing(at(path, "field_id"))
    name = used.add(spec["field_id"], at(path, "field_id"))
    low, high = spec.get("min_responses_required"), spec.get("max_responses_required")
    fewest = 1 if low is None else a_whole(low, at(path, "min_responses_required"), 1, MAX_ANSWERS)
    most = fewest if high is None else a_whole(high, at(path, "max_responses_required"), fewest, MAX_ANSWERS)
    # The editor applies conditions: the answers alone do not show whether a field was visible.
    required = not spec.get("conditions") and spec.get("required") is not None
    required = required and a_flag(spec["required"], at(path, "required"))
    written = spec.get("type")
    if isinstance(written, str) and written in _SETS:
        inner = _read(spec.get("fields"), at(path, "fields"), depth + 1)
        return Field(Question(name, written, "set", required), fewest, most, inner)
    return Field(question({**spec, "required": required}, path, name, None), fewest, most)


def check_answers(field: Field, answers: list[Any], path: str) -> list[list[Any]]:
    """Checks the answers to a field, each an array of values."""
    an_array(answers, path, field.fewest_answers, field.most_answers)
    return [_values(field, an_array(each, at(path, index)), at(path, index)) for index, each in enumerate(answers)]


def _values(field: Field, values: list[Any], path: str) -> list[Any]:
    if not field.inner:
        found = check_values(field.asked, values, path)
        return found or missing(path, "is empty; leave the field out instead")
    an_array(values, path, 1, 1)
    return [_set(field, values[0], at(path, 0))]


def _set(field: Field, given: object, path: str) -> dict[str, list[Any]]:
    """Checks the answer to a set of fields: arrays of values by field_id."""
    answers = record(given, path, (), tuple(field.inner))
    found: dict[str, list[Any]] = {}
    for name, each in field.inner.items():
        values = an_array(answers.get(name) or [], at(path, name), most=MAX_ITEMS)
        if values:
            found[name] = _values(each, values, at(path, name))
        elif each.asked.required:
            missing(at(path, name))
    return found


def sample_answers(field: Field) -> list[list[Any]]:
    """Returns answers that `check_answers` accepts."""
    return [_sample(field)] * field.fewest_answers


def _sample(field: Field) -> list[Any]:
    if field.inner:
        return [{name: _sample(each) for name, each in field.inner.items()}]
    return sample_values(field.asked)
