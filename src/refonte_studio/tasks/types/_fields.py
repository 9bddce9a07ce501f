"""Types that fill named fields: `{fields: {name: value}, repeatable_fields?: [{name: value}]}`."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.kit.errors import BadInput
from refonte_studio.tasks.types import _schema
from refonte_studio.tasks.types._checks import (
    Unique,
    a_text,
    an_array,
    an_object,
    at,
    listed,
    missing,
    record,
    refuse,
)
from refonte_studio.tasks.types._combine import chosen, majority, typical
from refonte_studio.tasks.types._parameters import Parameter, free
from refonte_studio.tasks.types._values import Question, check_value, question, sample_value
from refonte_studio.tasks.types.base import TaskType

MAX_FIELDS = 1_000
_NAMES = ("field_id", "name", "key", "id", "title", "label")

FIELD_PARAMETERS: Mapping[str, Parameter] = {
    "fields": free(
        "What to find out, once: objects {field_id or name, title, type, required, choices, min, max}, or an object "
        "of descriptions by name. A field is required unless it says required: false. Without a type, an answer is "
        "any string, number or boolean. Required, unless repeatable_fields are given."
    ),
    "repeatable_fields": free("What to find out as often as it occurs, in the form of fields."),
    "row_fields": free("The older name of repeatable_fields."),
}

Row = dict[str, Any]


class FieldsTask(TaskType):
    """Named fields, and rows of them where they repeat.

    Several responses are combined field by field: the answer given most often (of texts, one that more than half
    agree on, else the one most like the others); a field that most of them leave open stays open. All the rows
    together count as one answer, which is chosen as a text is.
    """

    parameters: ClassVar[Mapping[str, Parameter]] = FIELD_PARAMETERS

    def check_own_params(self, params: dict[str, Any]) -> None:
        _questions(params)

    def check_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        fields, rows = _questions(params)
        found = record(response, "response", ("fields",), ("repeatable_fields",))
        checked: dict[str, Any] = {"fields": _row(fields, found["fields"], "response.fields")}
        if found.get("repeatable_fields") is not None:
            path = "response.repeatable_fields"
            given = an_array(found["repeatable_fields"], path)
            if given and not rows:
                missing(path, "is not asked for by this task")
            checked["repeatable_fields"] = [_row(rows, each, at(path, index)) for index, each in enumerate(given)]
        return checked

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        fields, rows = _questions(params)
        sample = {"fields": {name: sample_value(asked) for name, asked in fields.items()}}
        if rows:
            return {**sample, "repeatable_fields": [{name: sample_value(asked) for name, asked in rows.items()}]}
        return sample

    def merge(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], /) -> dict[str, Any]:
        fields, _ = _questions(params)
        answers = {
            name: combined_answer(asked, [response["fields"].get(name) for response in responses])
            for name, asked in fields.items()
        }
        merged: dict[str, Any] = {"fields": {name: value for name, value in answers.items() if value is not None}}
        rows = [response["repeatable_fields"] for response in responses if "repeatable_fields" in response]
        if len(rows) * 2 > len(responses):
            merged["repeatable_fields"] = typical(rows)
        return agreeing(self, params, merged, responses)

    def response_schema(self) -> dict[str, Any]:
        value = {"anyOf": [_schema.SCALAR, _schema.array(_schema.SCALAR)]}
        row = {"type": "object", "additionalProperties": value}
        return _schema.response(_schema.closed({"fields": row}, {"repeatable_fields": _schema.array(row)}))


def combined_answer(asked: Question, answers: Sequence[Any]) -> Any:
    """One answer of several to a question; None, which stands for no answer, wins only where it is more common."""
    given = [answer for answer in answers if answer is not None]
    if not majority([answer is not None for answer in answers]):
        return None
    if asked.kind == "category" and asked.multiple:
        return chosen(given, max(asked.fewest, 1), asked.most)
    texts = [answer for answer in given if isinstance(answer, str)]
    if asked.kind in ("text", "any") and len(texts) == len(given):
        return typical(texts)
    return majority(given)


def agreeing(
    task_type: TaskType,
    params: dict[str, Any],
    merged: dict[str, Any],
    responses: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """The merged answers if they go together; else the response that is most like the others, whole.

    Votes are taken field by field, so that the winners of two fields may come from different responses.
    """
    try:
        return task_type.check_response(params, merged)
    except BadInput:
        return typical(responses)


def _row(asked: Mapping[str, Question], given: object, path: str) -> Row:
    answers = an_object(given, path)
    for name in answers:
        if name not in asked:
            missing(at(path, name), f"is not a field of this task; they are {listed(list(asked)) or 'none'}")
    found: Row = {}
    for name, each in asked.items():
        if answers.get(name) is not None:
            found[name] = check_value(each, answers[name], at(path, name))
        elif each.required:
            missing(at(path, name))
    return found


def _questions(params: Mapping[str, Any]) -> tuple[Mapping[str, Question], Mapping[str, Question]]:
    """The fields that are filled once, and those that repeat."""
    repeated = "repeatable_fields" if params.get("repeatable_fields") is not None else "row_fields"
    once, rows = params.get("fields"), params.get(repeated)
    if not once and not rows:
        missing("fields")
    return _defined(once, "fields") if once else {}, _defined(rows, repeated) if rows else {}


def _defined(fields: object, path: str) -> Mapping[str, Question]:
    if isinstance(fields, dict):
        specs = [_described(name, value, at(path, name)) for name, value in fields.items()]
    else:
        specs = [(spec, at(path, index)) for index, spec in enumerate(an_array(fields, path))]
    if len(specs) > MAX_FIELDS:
        missing(path, f"has {len(specs)} fields, at most {MAX_FIELDS} are allowed")
    used = Unique()
    found: dict[str, Question] = {}
    for spec, here in specs:
        each = _asked(spec, here, used)
        found[each.name] = each
    return found


def _described(name: str, value: object, path: str) -> tuple[dict[str, Any], str]:
    """A field of an object of descriptions by name; a description may be an object that says more."""
    if isinstance(value, dict):
        return {**value, "field_id": name}, path
    return {"field_id": name, "description": "" if value is None else a_text(value, path)}, path


def _asked(spec: object, path: str, used: Unique) -> Question:
    if isinstance(spec, str):
        spec = {"field_id": spec}
    field = an_object(spec, path)
    key = next((name for name in _NAMES if field.get(name) is not None), None)
    if key is None:
        missing(path, f"has none of {', '.join(_NAMES)}")
    if not isinstance(field[key], str):
        refuse(at(path, key), field[key], "is not a string")
    name = used.add(field[key], at(path, key))
    return question({"required": True, **_without_nulls(field)}, path, name, "any")


def _without_nulls(field: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in field.items() if value is not None}
