"""Compare attachments and choose one of the given answers."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.consensus.model import Outcome
from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.answers import pair_agreement
from refonte_studio.task_types.parts.canonical_names import check_distinct
from refonte_studio.task_types.parts.checks import a_choice, missing_value, record
from refonte_studio.task_types.parts.choices import names
from refonte_studio.task_types.parts.fields import FIELD_PARAMETERS, FieldsTask, fields_schema
from refonte_studio.task_types.parts.panel import Panel, Reader, label
from refonte_studio.task_types.parts.parameters import Parameter, mixed, need_one, text


class Comparison(FieldsTask):
    """One choice, or the fields that the task asks for.

    Several responses are combined into the choice that the judge considers correct; fields are combined one by one, as
    in a transcription.

    `consensus.ranking` computes the best of many items from all tasks that compare two of them.
    """

    name = "comparison"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "choices": mixed("The answers to choose from. Required, unless fields are given."),
        "fields": FIELD_PARAMETERS["fields"].described(
            "Questions about the attachments, in the form of a transcription's fields, instead of choices. The "
            "response is then {fields}."
        ),
        "text": text("A text to compare by, instead of an attachment."),
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Do the two photographs show the same shoe?",
        "attachments": ["https://example.com/shoe-1.jpg", "https://example.com/shoe-2.jpg"],
        "attachment_type": "image",
        "choices": ["yes", "no", "cannot tell"],
    }
    example_response: ClassVar[dict[str, Any]] = {"choice": "yes"}
    either: ClassVar[Sequence[tuple[str, ...]]] = (("choices", "fields"),)

    def check_own_params(self, params: dict[str, Any]) -> None:
        need_one(params, "attachments", "attachment", "text")
        if _asks_fields(params):
            super().check_own_params(params)
        else:
            _choices(params)
            check_distinct(params["choices"], "choices", least=2)

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        if _asks_fields(params):
            return super().check_own_response(params, response)
        found = record(response, "response", ("choice",))
        return {"choice": a_choice(found["choice"], "response.choice", _choices(params))}

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        return super().sample_response(params) if _asks_fields(params) else {"choice": _choices(params)[0]}

    def settle(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], panel: Panel, /) -> Outcome:
        if _asks_fields(params):
            return super().settle(params, responses, panel)
        said = [response["choice"] for response in responses]
        value, decision = panel.decide("choice", said, len(_choices(params)))
        return Outcome({"choice": value}, decision.confidence, pair_agreement(said))

    def consensus_cost(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], /) -> int:
        return super().consensus_cost(params, responses) if _asks_fields(params) else 20 * len(responses)

    def reader(self, params: dict[str, Any], /) -> Reader:
        if _asks_fields(params):
            return super().reader(params)
        return lambda response: {"choice": label(response["choice"])}

    def choices(self, params: dict[str, Any], /) -> Mapping[str, int]:
        return super().choices(params) if _asks_fields(params) else {"choice": len(_choices(params))}

    def similarity(self, params: dict[str, Any], one: dict[str, Any], other: dict[str, Any], /) -> float:
        if "fields" in one and "fields" in other:
            return super().similarity(params, one, other)
        return float(one == other)

    def response_schema(self) -> dict[str, Any]:
        return schema.response(schema.any_of([schema.closed({"choice": schema.NAME}), fields_schema()]))


def _asks_fields(params: Mapping[str, Any]) -> bool:
    return bool(params.get("fields"))


def _choices(params: Mapping[str, Any]) -> tuple[str, ...]:
    choices = params.get("choices")
    return missing_value("choices", "fields") if choices is None else names(choices, "choices")


TYPE = Comparison()
