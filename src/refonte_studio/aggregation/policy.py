"""Aggregation: several responses to a task become one result."""

from collections.abc import Sequence
from typing import Any

from refonte_studio.aggregation.model import Result
from refonte_studio.consensus.judges import Plain
from refonte_studio.consensus.model import Judge
from refonte_studio.kit.json_text import as_json
from refonte_studio.task_types import TYPES

INLINE_CHARACTERS = 200_000  # of the responses whose consensus is computed where the last one is recorded
INLINE_STEPS = 20_000  # of a consensus that is made where its attempts are recorded; see `TaskType.consensus_cost`


def cost(type_name: str, params: dict[str, Any], responses: Sequence[dict[str, Any]]) -> int:
    """About how many steps the consensus of these responses takes."""
    return TYPES[type_name].consensus_cost(params, responses) if len(responses) > 1 else 0


def is_costly(type_name: str, params: dict[str, Any], responses: Sequence[dict[str, Any]]) -> bool:
    """Whether the consensus of these responses is left to the background."""
    return cost(type_name, params, responses) > INLINE_STEPS


def aggregate(type_name: str, params: dict[str, Any], responses: Sequence[dict[str, Any]], judge: Judge) -> Result:
    """What attempts give together, by this judge of them."""
    outcome = TYPES[type_name].consensus(params, responses, judge)
    return Result(as_json("response", outcome.response), outcome.confidence, outcome.agreement)


def aggregate_one(type_name: str, params: dict[str, Any], response: dict[str, Any], text: str) -> Result:
    """What the only attempt gives, of whose maker nothing is known: its response (`text` is its JSON), as it is."""
    outcome = TYPES[type_name].consensus(params, [response], Plain(1))
    return Result(text, outcome.confidence, outcome.agreement)
