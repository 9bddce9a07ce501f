"""Aggregation: several responses to a task become one result."""

from collections.abc import Sequence
from typing import Any

from refonte_studio.aggregation.model import Result
from refonte_studio.consensus.model import Judge
from refonte_studio.kit.json_text import as_json
from refonte_studio.task_types import TYPES

# A consensus within both limits is computed where its last attempt is recorded; any other in the background.
INLINE_CHARACTERS = 200_000  # of its responses
INLINE_STEPS = 20_000  # see `TaskType.consensus_cost`


def cost(type_name: str, params: dict[str, Any], responses: Sequence[dict[str, Any]]) -> int:
    """Returns the approximate number of steps that the consensus of these responses takes; 0 for a single one."""
    return TYPES[type_name].consensus_cost(params, responses) if len(responses) > 1 else 0


def is_costly(type_name: str, params: dict[str, Any], responses: Sequence[dict[str, Any]]) -> bool:
    """Returns whether the consensus of these responses is computed in the background."""
    return cost(type_name, params, responses) > INLINE_STEPS


def aggregate(type_name: str, params: dict[str, Any], responses: Sequence[dict[str, Any]], judge: Judge) -> Result:
    """Combines the responses of a task's attempts, weighed by this judge."""
    outcome = TYPES[type_name].consensus(params, responses, judge)
    return Result(as_json("response", outcome.response), outcome.confidence, outcome.agreement)


def aggregate_one(type_name: str, params: dict[str, Any], response: dict[str, Any], text: str) -> Result:
    """Returns the result of a single attempt by a labeler without a model: its response; `text` is its JSON."""
    return Result(text, TYPES[type_name].confidence_alone(params, response), 1.0)
