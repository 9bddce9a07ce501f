"""The base of task types whose responses are objects found in something (see `parts.object_matching`)."""

import operator
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from refonte_studio.consensus.matching import MAX_PAIRS
from refonte_studio.consensus.model import Outcome
from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types.base import TaskType
from refonte_studio.task_types.parts.checks import size_of
from refonte_studio.task_types.parts.ids import fresh_id
from refonte_studio.task_types.parts.object_matching import (
    MAX_COMPARED,
    Cluster,
    Matcher,
    ObjectCluster,
    Pairs,
    clusters,
    clusters_around,
    compared,
    groups_of,
    likeness,
    with_more,
)
from refonte_studio.task_types.parts.panel import Panel

Response = dict[str, Any]


# How often a result is matched again with the attempts that it comes from; fewer times with more objects.
ROUNDS = 3
MAX_MATCHED_ANEW = 20_000

# Measured costs in microseconds: of an object, of a value in it, and of comparing two positions.
_STEPS_AN_OBJECT = 150
_STEPS_A_VALUE = 4
_STEPS_A_PAIR = 0.3


@dataclass(frozen=True, slots=True)
class ComparedAttempts:
    """The attempts of one task, compared with each other."""

    matcher: Matcher
    responses: Sequence[Response]
    panel: Panel
    groups: Sequence[ObjectCluster]
    pairs: Pairs  # the pairs that were compared
    table: Any  # the similarity of two attempts; NaN if they were not compared

    @staticmethod
    def of(matcher: Matcher, responses: Sequence[Response], panel: Panel) -> "ComparedAttempts":
        groups = groups_of(matcher, responses)
        pairs = compared(groups, len(responses))
        table = np.full((len(responses), len(responses)), np.nan)
        np.fill_diagonal(table, 1.0)
        for one, other in pairs:
            table[one, other] = table[other, one] = likeness(matcher, groups, one, other)
        return ComparedAttempts(matcher, responses, panel, groups, pairs, table)

    def agreement(self) -> float:
        return float(np.mean([self.table[pair] for pair in self.pairs]))

    def support(self, groups: Sequence[ObjectCluster]) -> float:
        """Returns how well the attempts support one more, which follows them in these groups."""
        last = len(self.responses)
        return self.panel.support([likeness(self.matcher, groups, attempt, last) for attempt in range(last)])

    def most_found(self) -> bool:
        return self.panel.share([bool(response["annotations"]) for response in self.responses]) > 0.5


class AnnotationTask(TaskType):
    """Several responses are combined into the objects that more than half have found, each combined from its
    annotations.

    The confidence measures how similar the attempts are to the result. If they agree on no object although most have
    found some, the response most similar to the others is the result, and its support counts half.
    """

    only_media = True

    @abstractmethod
    def matcher(self, params: dict[str, Any], /) -> Matcher:
        """Returns how objects are compared and combined."""

    def consensus_cost(self, _params: dict[str, Any], responses: Sequence[Response], /) -> int:
        """Attempts are matched pairwise, and a few times with the result; in a matching, every pair of objects may be
        compared, within the limits of `matching`."""
        attempts = len(responses)
        objects = sum(len(response["annotations"]) for response in responses)
        mean = objects / attempts
        matchings = min(attempts * (attempts - 1) // 2, max(attempts, MAX_COMPARED // 2)) + 3 * attempts
        if objects * attempts > MAX_COMPARED:
            matchings = min(matchings, 4 * attempts + MAX_COMPARED * attempts // max(1, 2 * objects))
        pairs = mean * mean if mean * mean <= MAX_PAIRS else 24 * mean
        each = _STEPS_A_PAIR * pairs + self.comparing_cost(responses, mean)
        return int(_STEPS_AN_OBJECT * objects + self.reading_cost(responses) + matchings * each)

    def reading_cost(self, responses: Sequence[Response], /) -> float:
        """Returns the steps that grow with the size of the objects."""
        return _STEPS_A_VALUE * size_of(responses)

    def comparing_cost(self, _responses: Sequence[Response], _mean: float, /) -> float:
        """Returns the steps of matching two attempts with `mean` objects each, in addition to comparing positions."""
        return 0.0

    def settle(self, params: dict[str, Any], responses: Sequence[Response], panel: Panel, /) -> Outcome:
        if len(responses) == 1:
            return Outcome(responses[0], panel.support([1.0]), 1.0)
        attempts = ComparedAttempts.of(self.matcher(params), responses, panel)
        totals = _totals(attempts.table, panel.weights)
        order = sorted(range(len(responses)), key=lambda attempt: -round(totals[attempt], 9))
        found = clusters(attempts.groups, order, panel, attempts.pairs)
        first = self._checked(params, _results(attempts.matcher, found))
        if first is None or (attempts.most_found() and not first["annotations"]):
            result = responses[order[0]]
            alike = with_more(attempts.matcher, attempts.groups, result, len(responses))
            return Outcome(result, attempts.support(alike) / 2, attempts.agreement())
        result, confidence = self._steady(params, attempts, first)
        result, confidence = self._said_already(params, attempts, result, confidence)
        return Outcome(result, confidence, attempts.agreement())

    def _steady(self, params: dict[str, Any], attempts: ComparedAttempts, result: Response) -> tuple[Response, float]:
        """Returns the result and its support, matched again with the attempts until it is stable."""
        last = len(attempts.responses)
        groups = with_more(attempts.matcher, attempts.groups, result, last)
        size = sum(len(group.annotations) for group in attempts.groups)
        for _ in range(min(ROUNDS, MAX_MATCHED_ANEW // max(1, size))):
            found = clusters_around(groups, last, attempts.panel, attempts.pairs)
            fresh = self._checked(params, _results(attempts.matcher, found))
            if fresh is None or not fresh["annotations"] or _contents(fresh) == _contents(result):
                break
            result, groups = fresh, with_more(attempts.matcher, attempts.groups, fresh, last)
        return result, attempts.support(groups)

    def _said_already(
        self, params: dict[str, Any], attempts: ComparedAttempts, result: Response, confidence: float
    ) -> tuple[Response, float]:
        """Returns an attempt that equals the combination of those who match it, if it has more support than the result.

        An attempt that repeats a result is then confirmed, even if its weight starts the matching elsewhere.
        """
        if np.isnan(attempts.table).any():
            return result, confidence
        support = [attempts.panel.support(row) for row in attempts.table.tolist()]
        for attempt in sorted(range(len(support)), key=lambda attempt: -round(support[attempt], 9)):
            if support[attempt] <= confidence + 1e-9:
                break
            found = clusters_around(attempts.groups, attempt, attempts.panel, attempts.pairs)
            fresh = self._checked(params, _results(attempts.matcher, found))
            if (
                fresh is not None
                and fresh["annotations"]
                and _contents(fresh) == _contents(attempts.responses[attempt])
            ):
                return fresh, support[attempt]
        return result, confidence

    def _checked(self, params: dict[str, Any], results: Iterable[Callable[[], Response]]) -> Response | None:
        """Returns the first valid result. Combined attempts may violate a rule that each of them satisfies, such as
        which attributes a label requires."""
        for result in results:
            try:
                return self.check_response(params, result())
            except BadInput:
                continue
        return None

    def similarity(self, params: dict[str, Any], one: Response, other: Response, /) -> float:
        matcher = self.matcher(params)
        return likeness(matcher, groups_of(matcher, [one, other]), 0, 1)


def _contents(response: Response) -> list[Response]:
    """Returns the annotations without their ids."""
    return [{name: value for name, value in each.items() if name != "uuid"} for each in response["annotations"]]


def _totals(table: Any, weights: Sequence[float]) -> list[float]:
    """Returns each attempt's weighted mean similarity to those it was compared with."""
    known = ~np.isnan(table)
    weighted = np.where(known, table, 0.0) @ np.asarray(weights)
    return (weighted / np.maximum(known @ np.asarray(weights), 1e-12)).tolist()


def _results(matcher: Matcher, found: Sequence[Cluster]) -> list[Callable[[], Response]]:
    """Yields the result of the clusters: each object combined from all who found it, or from the most typical one."""
    return [
        lambda: _response([_labeled(matcher, each) for each in found]),
        lambda: _response([dict(each.typical) for each in found]),
    ]


def _labeled(matcher: Matcher, cluster: Cluster) -> Response | None:
    """Returns the object with the label that the judge considers correct."""
    label, _ = cluster.panel.decide("label", cluster.given(operator.itemgetter("label")), matcher.labels)
    return matcher.joined(cluster.typically(label))


def _response(objects: Sequence[Response | None]) -> Response:
    """Returns the response with these objects, with unique ids."""
    annotations = [each for each in objects if each is not None]
    used: set[str] = set()
    for each in annotations:
        each["uuid"] = fresh_id(each["uuid"], used)
    return {"annotations": annotations}
