"""Answer a form about the attachments: choices, texts, numbers, dates, and sets of them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.consensus.model import Outcome
from refonte_studio.consensus.texts import text_cost
from refonte_studio.task_types.base import TaskType
from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.answers import QuestionAnswer
from refonte_studio.task_types.parts.checks import (
    an_array,
    an_object,
    at,
    listed,
    missing,
    record,
    refuse,
    size_of,
    texts_in,
)
from refonte_studio.task_types.parts.fields import compatible_result
from refonte_studio.task_types.parts.form_answers import field_likenesses, form_choices, form_reader, settle_field
from refonte_studio.task_types.parts.forms import Field, check_answers, fields_of, sample_answers
from refonte_studio.task_types.parts.panel import Panel, Reader
from refonte_studio.task_types.parts.parameters import Parameter, mixed
from refonte_studio.task_types.parts.questionnaire import confidence_of, mean


class TextCollection(TaskType):
    """A form. The answer to a field is an array of arrays: for each time it is answered, its values.

    Several responses are combined field by field, by kind of question (see `parts.answers`), and sets of fields by
    their fields. A field that may be answered several times has the answers that more than half give, or else those
    most similar to the others'. The similarity of two responses is the mean over their answers.
    """

    name = "textcollection"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "fields": Parameter(
            "The form: objects {field_id, type, title, description, required, choices, min_choices, max_choices, min, "
            "max, min_responses_required, max_responses_required, conditions}. A field is optional unless it says "
            "required: true; one with conditions is always optional. A field_set holds further fields.",
            {"type": "array", "items": {"type": "object"}},
            required=True,
        ),
        "forms": mixed("Groups of fields to show together."),
        "text": Parameter("A text to answer about.", {"type": "string"}),
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Read the answer and judge it.",
        "attachments": [{"type": "image", "content": "https://example.com/answer.jpg"}],
        "fields": [
            {
                "type": "category",
                "field_id": "answer_reasonable",
                "title": "Is the answer reasonable?",
                "choices": [{"label": "Yes", "value": "yes"}, {"label": "No", "value": "no"}],
                "required": True,
            },
            {"type": "text", "field_id": "reason", "title": "Why?"},
            {"type": "number", "field_id": "confidence", "title": "How sure are you?", "min": 0, "max": 10},
        ],
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": {
            "answer_reasonable": {"type": "category", "field_id": "answer_reasonable", "response": [["no"]]},
            "confidence": {"type": "number", "field_id": "confidence", "response": [[8]]},
        }
    }

    def check_own_params(self, params: dict[str, Any]) -> None:
        fields_of(params)

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        fields = fields_of(params)
        path = "response.annotations"
        given = an_object(record(response, "response", ("annotations",))["annotations"], path)
        for name in given:
            if name not in fields:
                missing(at(path, name), f"is not a field of this task; they are {listed(list(fields))}")
        entries = {name: _entry(field, given.get(name), at(path, name)) for name, field in fields.items()}
        return {"annotations": {name: entry for name, entry in entries.items() if entry is not None}}

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        samples = {name: _written(field, sample_answers(field)) for name, field in fields_of(params).items()}
        return {"annotations": samples}

    def consensus_cost(self, _params: dict[str, Any], responses: Sequence[dict[str, Any]], /) -> int:
        """Every pair of responses is compared field by field."""
        pairs = len(responses) * (len(responses) + 1) / 2
        texts = texts_in(responses)
        each = len(texts) / len(responses) * text_cost(texts)
        return int(size_of(responses) * len(responses) + pairs * each)

    def settle(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], panel: Panel, /) -> Outcome:
        fields = fields_of(params)
        found: dict[str, Any] = {}
        answers: list[QuestionAnswer] = []
        for name, field in fields.items():
            given = [_answers(response, name) for response in responses]
            if any(given):
                value, settled = settle_field(field, f"annotations/{name}", given, panel)
                answers += settled
                found |= {} if value is None else {name: _written(field, value)}
        confidence = confidence_of(answers, panel)
        return compatible_result(self, params, {"annotations": found}, responses, confidence, panel)

    def reader(self, params: dict[str, Any], /) -> Reader:
        read = form_reader(fields_of(params), "annotations")
        return lambda response: read({name: entry["response"] for name, entry in response["annotations"].items()})

    def choices(self, params: dict[str, Any], /) -> Mapping[str, int]:
        return form_choices(fields_of(params), "annotations")

    def similarity(self, params: dict[str, Any], one: dict[str, Any], other: dict[str, Any], /) -> float:
        alike: list[float] = []
        for name, field in fields_of(params).items():
            alike += field_likenesses(field, _answers(one, name), _answers(other, name))
        return mean(alike) if alike else 1.0

    def response_schema(self) -> dict[str, Any]:
        value = {"type": ["string", "number", "boolean", "object"]}
        answers = schema.array(schema.array(value, 1), 1)
        entry = schema.closed({"type": schema.NAME, "field_id": schema.NAME, "response": answers})
        return schema.response(schema.closed({"annotations": {"type": "object", "additionalProperties": entry}}))


def _written(field: Field, answers: list[list[Any]]) -> dict[str, Any]:
    return {"type": field.asked.type, "field_id": field.asked.name, "response": answers}


def _entry(field: Field, given: object, path: str) -> dict[str, Any] | None:
    """Returns the checked answer to a field; None if it is left open, including by an empty answer."""
    answers: list[Any] = []
    if given is not None:
        found = record(given, path, ("type", "field_id", "response"))
        for key, wanted in (("type", field.asked.type), ("field_id", field.asked.name)):
            if not isinstance(found[key], str) or found[key] != wanted:
                refuse(at(path, key), found[key], f"is not {wanted!r}, as the field has it")
        answers = an_array(found["response"], at(path, "response"))
    if answers in ([], [[]]):
        return missing(path) if field.asked.required else None
    return _written(field, check_answers(field, answers, at(path, "response")))


def _answers(response: Mapping[str, Any], name: str) -> list[list[Any]] | None:
    entry = response["annotations"].get(name)
    return entry and entry["response"]


TYPE = TextCollection()
