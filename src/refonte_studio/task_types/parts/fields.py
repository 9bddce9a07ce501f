"""Types that fill named fields: `{fields: {name: value}, repeatable_fields?: [{name: value}]}`."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from refonte_studio.consensus.matching import assigned
from refonte_studio.consensus.medians import first_greatest, mean_of_pairs, most_typical, table_of
from refonte_studio.consensus.model import Outcome
from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types.base import TaskType
from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.answers import QuestionAnswer, value_cost
from refonte_studio.task_types.parts.checks import (
    UniqueIds,
    a_text,
    an_array,
    an_object,
    at,
    listed,
    missing,
    missing_value,
    record,
    refuse,
    size_of,
)
from refonte_studio.task_types.parts.panel import Panel, Reader, identity
from refonte_studio.task_types.parts.parameters import Parameter, free
from refonte_studio.task_types.parts.questionnaire import (
    Questions,
    answers_to,
    choices_to,
    confidence_of,
    likeness,
    likenesses,
    mean,
    values_of,
    votes_reader,
)
from refonte_studio.task_types.parts.questions import Question, check_value, question, sample_value

MAX_FIELDS = 1_000
# Rows of two attempts are compared pairwise up to this number of pairs.
MAX_ROW_PAIRS = 400
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

FieldRow = dict[str, Any]


class FieldsTask(TaskType):
    """Named fields, and repeatable rows of fields.

    Several responses are combined field by field, by kind of question (see `parts.answers`). All rows together count as
    one answer: the one that more than half give, or else the one whose rows are most similar to the others'. The
    similarity of two responses is the mean over their answers.
    """

    parameters: ClassVar[Mapping[str, Parameter]] = FIELD_PARAMETERS
    either: ClassVar[Sequence[tuple[str, ...]]] = (("repeatable_fields", "row_fields"),)

    def check_own_params(self, params: dict[str, Any]) -> None:
        _questions(params)

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        fields, rows = _questions(params)
        found = record(response, "response", ("fields",), ("repeatable_fields",))
        checked: dict[str, Any] = {"fields": check_row(fields, found["fields"], "response.fields")}
        if found.get("repeatable_fields") is not None:
            path = "response.repeatable_fields"
            given = an_array(found["repeatable_fields"], path)
            if given and not rows:
                missing(path, "is not asked for by this task")
            checked["repeatable_fields"] = [check_row(rows, each, at(path, index)) for index, each in enumerate(given)]
        return checked

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        fields, rows = _questions(params)
        sample = {"fields": {name: sample_value(asked) for name, asked in fields.items()}}
        if rows:
            return {**sample, "repeatable_fields": [{name: sample_value(asked) for name, asked in rows.items()}]}
        return sample

    def consensus_cost(self, _params: dict[str, Any], responses: Sequence[dict[str, Any]], /) -> int:
        """Every pair of responses is compared field by field, and row by row."""
        pairs = len(responses) * (len(responses) + 1) / 2
        once = [value for response in responses for value in response["fields"].values()]
        rows = [row for response in responses for row in response.get("repeatable_fields") or ()]
        repeated = [value for row in rows for value in row.values()]
        mean = len(rows) / len(responses)
        compared = mean * mean if mean * mean <= MAX_ROW_PAIRS else mean
        cells = len(repeated) / max(1, len(rows))
        each = len(once) / len(responses) * value_cost(once) + compared * cells * value_cost(repeated)
        return int(size_of(responses) * len(responses) + pairs * each)

    def settle(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], panel: Panel, /) -> Outcome:
        fields, rows = _questions(params)
        answers = answers_to(fields, "fields", [response["fields"] for response in responses], panel)
        merged: dict[str, Any] = {"fields": values_of(answers)}
        found = list(answers.values())
        given = [response.get("repeatable_fields") for response in responses]
        if any(given):
            found.append(_typical_rows(rows, given, panel))
        if panel.most([each is not None for each in given]):
            merged["repeatable_fields"] = found[-1].value if any(given) else []
        return compatible_result(self, params, merged, responses, confidence_of(found, panel), panel)

    def reader(self, params: dict[str, Any], /) -> Reader:
        read = votes_reader(_questions(params)[0], "fields")
        return lambda response: read(response["fields"])

    def choices(self, params: dict[str, Any], /) -> Mapping[str, int]:
        return choices_to(_questions(params)[0], "fields")

    def similarity(self, params: dict[str, Any], one: dict[str, Any], other: dict[str, Any], /) -> float:
        fields, rows = _questions(params)
        alike = likenesses(fields, one["fields"], other["fields"])
        mine, theirs = (each.get("repeatable_fields") or [] for each in (one, other))
        if mine or theirs:
            alike.append(rows_likeness(rows, mine, theirs))
        return mean(alike) if alike else 1.0

    def response_schema(self) -> dict[str, Any]:
        return schema.response(fields_schema({"repeatable_fields": schema.array(_ROW)}))


_VALUE = {"anyOf": [schema.SCALAR, schema.array(schema.SCALAR)]}
_ROW: dict[str, Any] = {"type": "object", "additionalProperties": _VALUE}


def fields_schema(optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns the schema of an object with `fields`, whose values are answers."""
    return schema.closed({"fields": _ROW}, optional)


def compatible_result(
    task_type: TaskType,
    params: dict[str, Any],
    merged: dict[str, Any],
    responses: Sequence[dict[str, Any]],
    confidence: float,
    panel: Panel,
) -> Outcome:
    """Returns the merged answers if they form a valid response, or else the whole response most similar to the others.

    Answers are settled one by one, so they may come from different responses that do not fit together.
    """
    alike = table_of(responses, lambda one, other: task_type.similarity(params, one, other))
    agreement = mean_of_pairs(alike)
    try:
        return Outcome(task_type.check_response(params, merged), confidence, agreement)
    except BadInput:
        place = most_typical(alike, panel.weights)
        return Outcome(responses[place], panel.support(alike[place]), agreement)


def _typical_rows(asked: Questions, given: Sequence[list[FieldRow] | None], panel: Panel) -> QuestionAnswer:
    """Returns the rows that more than half give exactly, or else those most similar to the others'; absent rows count
    as none."""
    rows = [each or [] for each in given]
    alike = table_of(rows, lambda one, other: rows_likeness(asked, one, other))
    exact = [panel.share([identity(one) == identity(other) for other in rows]) for one in rows]
    place = first_greatest(exact)
    if exact[place] <= 0.5:
        place = most_typical(alike, panel.weights)
    return QuestionAnswer(rows[place], panel.support(alike[place]))


def rows_likeness(asked: Questions, one: Sequence[FieldRow], other: Sequence[FieldRow]) -> float:
    """Returns the similarity of corresponding rows, relative to the number of rows: the best assignment or, for very
    many rows, those with the same index."""
    if len(one) * len(other) > MAX_ROW_PAIRS:
        paired = sum(likeness(asked, mine, theirs) for mine, theirs in zip(one, other, strict=False))
        return 2 * paired / (len(one) + len(other))
    rows, columns = np.divmod(np.arange(len(one) * len(other)), max(1, len(other)))
    worth = np.array([likeness(asked, mine, theirs) for mine in one for theirs in other])
    found = assigned(rows, columns, worth)
    return 2 * float(worth[found].sum()) / (len(one) + len(other)) if one or other else 1.0


def check_row(asked: Mapping[str, Question], given: object, path: str) -> FieldRow:
    """Checks answers by question: only requested ones, and all required ones."""
    answers = an_object(given, path)
    for name in answers:
        if name not in asked:
            missing(at(path, name), f"is not a field of this task; they are {listed(list(asked)) or 'none'}")
    found: FieldRow = {}
    for name, each in asked.items():
        if answers.get(name) is not None:
            found[name] = check_value(each, answers[name], at(path, name))
        elif each.required:
            missing(at(path, name))
    return found


def _questions(params: Mapping[str, Any]) -> tuple[Mapping[str, Question], Mapping[str, Question]]:
    """Returns the fields that are filled once, and those that repeat."""
    repeated = "repeatable_fields" if params.get("repeatable_fields") is not None else "row_fields"
    once, rows = params.get("fields"), params.get(repeated)
    if not once and not rows:
        missing_value("fields", "repeatable_fields")
    return questions_of(once, "fields") if once else {}, questions_of(rows, repeated) if rows else {}


def questions_of(fields: object, path: str) -> Mapping[str, Question]:
    """Returns the questions that fields ask, by name."""
    if isinstance(fields, dict):
        specs = [_described(name, value, at(path, name)) for name, value in fields.items()]
    else:
        specs = [(spec, at(path, index)) for index, spec in enumerate(an_array(fields, path))]
    if len(specs) > MAX_FIELDS:
        missing(path, f"has {len(specs)} fields, at most {MAX_FIELDS} are allowed")
    used = UniqueIds()
    found: dict[str, Question] = {}
    for spec, here in specs:
        each = _asked(spec, here, used)
        found[each.name] = each
    return found


def _described(name: str, value: object, path: str) -> tuple[dict[str, Any], str]:
    """Returns a field from an object of descriptions by name; a description may itself be an object."""
    if isinstance(value, dict):
        return {**value, "field_id": name}, path
    return {"field_id": name, "description": "" if value is None else a_text(value, path)}, path


def _asked(spec: object, path: str, used: UniqueIds) -> Question:
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
