"""The task type of those whose responses are objects found in something (see `_objects`)."""

import operator
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from refonte_studio.consensus.medians import first_greatest
from refonte_studio.consensus.model import Outcome
from refonte_studio.kit.errors import BadInput
from refonte_studio.tasks.types._ids import fresh_id
from refonte_studio.tasks.types._objects import Cluster, Craft, clusters, compared, groups_of, likeness
from refonte_studio.tasks.types._panel import Panel
from refonte_studio.tasks.types.base import TaskType

Response = dict[str, Any]


class MarkingTask(TaskType):
    """Several responses give the objects that more than half have found, each as their annotations give it; where they
    agree on none, though most have found some, the response that is most like the others, whole.

    The confidence is how far the attempts resemble the result.
    """

    @abstractmethod
    def craft(self, params: dict[str, Any], /) -> Craft:
        """How the objects are compared and joined."""

    def settle(self, params: dict[str, Any], responses: Sequence[Response], panel: Panel, /) -> Outcome:
        if len(responses) == 1:
            return Outcome(responses[0], panel.support([1.0]), 1.0)
        craft = self.craft(params)
        groups = groups_of(craft, responses)
        pairs = compared(groups, len(responses))
        table = np.full((len(responses), len(responses)), np.nan)
        np.fill_diagonal(table, 1.0)
        for one, other in pairs:
            table[one, other] = table[other, one] = likeness(craft, groups, one, other)
        totals = _totals(table, panel.weights)
        order = sorted(range(len(responses)), key=lambda attempt: -round(totals[attempt], 9))
        found = clusters(groups, order, panel, pairs)
        typical = responses[first_greatest(totals)]
        most_found = panel.share([bool(response["annotations"]) for response in responses]) > 0.5
        drawn = found or not most_found
        result = self._checked(params, _results(craft, found)) if drawn else typical
        result = typical if result is None or (most_found and not result["annotations"]) else result
        alike = self._alike(craft, responses, result)
        return Outcome(result, panel.support(alike), float(np.mean([table[pair] for pair in pairs])))

    def _checked(self, params: dict[str, Any], results: Iterable[Callable[[], Response]]) -> Response | None:
        """The first of the results that the type admits. What attempts give together may break a rule that each of
        them keeps, such as which attributes a label must have."""
        for result in results:
            try:
                return self.check_response(params, result())
            except BadInput:
                continue
        return None

    def _alike(self, craft: Craft, responses: Sequence[Response], result: Response) -> list[float]:
        """How much each attempt resembles the result."""
        groups = groups_of(craft, [*responses, result])
        return [likeness(craft, groups, attempt, len(responses)) for attempt in range(len(responses))]

    def similarity(self, params: dict[str, Any], one: Response, other: Response, /) -> float:
        craft = self.craft(params)
        return likeness(craft, groups_of(craft, [one, other]), 0, 1)


def _totals(table: Any, weights: Sequence[float]) -> list[float]:
    """How much each attempt is like those it was compared with, in the weighted mean."""
    known = ~np.isnan(table)
    weighted = np.where(known, table, 0.0) @ np.asarray(weights)
    return (weighted / np.maximum(known @ np.asarray(weights), 1e-12)).tolist()


def _results(craft: Craft, found: Sequence[Cluster]) -> list[Callable[[], Response]]:
    """What the clusters give: each object as all who found it draw it, or as the most typical of them does."""
    return [
        lambda: _response([_labeled(craft, each) for each in found]),
        lambda: _response([dict(each.typical) for each in found]),
    ]


def _labeled(craft: Craft, cluster: Cluster) -> Response | None:
    """The object with the label that the judge holds to be right."""
    label, _ = cluster.panel.decide("label", cluster.given(operator.itemgetter("label")), craft.labels)
    return craft.joined(cluster.typically(label))


def _response(objects: Sequence[Response | None]) -> Response:
    """The objects that there are, with ids of their own."""
    annotations = [each for each in objects if each is not None]
    used: set[str] = set()
    for each in annotations:
        each["uuid"] = fresh_id(each["uuid"], used)
    return {"annotations": annotations}
