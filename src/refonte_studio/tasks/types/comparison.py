"""Compare attachments and choose one of the given answers."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.consensus.model import Outcome
from refonte_studio.tasks.types import _schema
from refonte_studio.tasks.types._answers import alike
from refonte_studio.tasks.types._checks import missing, one_of, record
from refonte_studio.tasks.types._choices import names
from refonte_studio.tasks.types._panel import Panel, Reader, label
from refonte_studio.tasks.types._parameters import Parameter, mixed, need_one, text
from refonte_studio.tasks.types.base import TaskType


class Comparison(TaskType):
    """One choice. Several responses: the one that the judge holds to be right.

    Which of many things is the best, over all the tasks that compare two of them, is for `consensus.ranking` to say.
    """

    name = "comparison"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "choices": mixed("The answers to choose from.", required=True),
        "text": text("A text to compare by, instead of an attachment."),
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Do the two photographs show the same shoe?",
        "attachments": ["https://example.com/shoe-1.jpg", "https://example.com/shoe-2.jpg"],
        "attachment_type": "image",
        "choices": ["yes", "no", "cannot tell"],
    }
    example_response: ClassVar[dict[str, Any]] = {"choice": "yes"}

    def check_own_params(self, params: dict[str, Any]) -> None:
        need_one(params, "attachments", "attachment", "text")
        _choices(params)

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        found = record(response, "response", ("choice",))
        return {"choice": one_of(found["choice"], "response.choice", _choices(params))}

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"choice": _choices(params)[0]}

    def settle(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], panel: Panel, /) -> Outcome:
        said = [response["choice"] for response in responses]
        value, decision = panel.decide("choice", said, len(_choices(params)))
        return Outcome({"choice": value}, decision.confidence, alike(said))

    def reader(self, _params: dict[str, Any], /) -> Reader:
        return lambda response: {"choice": label(response["choice"])}

    def choices(self, params: dict[str, Any], /) -> Mapping[str, int]:
        return {"choice": len(_choices(params))}

    def similarity(self, _params: dict[str, Any], one: dict[str, Any], other: dict[str, Any], /) -> float:
        return float(one == other)

    def response_schema(self) -> dict[str, Any]:
        return _schema.response(_schema.closed({"choice": _schema.NAME}))


def _choices(params: Mapping[str, Any]) -> tuple[str, ...]:
    choices = params.get("choices")
    return missing("choices") if choices is None else names(choices, "choices")


TYPE = Comparison()
