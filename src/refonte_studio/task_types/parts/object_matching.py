"""Matches the objects of several attempts: which are the same, and what the attempts agree on.

Objects of two attempts are the same if their similarity is at least one half, by the best overall assignment
(`consensus.matching`), which prefers equal labels. The most typical attempt's objects come first; each object of
another attempt joins the one it matches, or is new; objects found by more than half of the weight are kept. The result
is matched again with all attempts, until it is stable or a few times. Every loop here is bounded by a constant times
the number of objects.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from refonte_studio.consensus.matching import MAX_PAIRS, assigned, neighbours
from refonte_studio.task_types.parts.panel import Panel, label

Array = np.ndarray[Any, Any]
Features = tuple[Array, ...]  # arrays of the same length, with a row for each object
Compare = Callable[[Features, Array, Array], Array]  # features, and the rows of the objects to compare
Annotation = Mapping[str, Any]
Pairs = Sequence[tuple[int, int]]  # of attempts

SAME = 0.5
# Attempts are compared pairwise up to this total number of objects; beyond it, each with the next one.
MAX_COMPARED = 24_000
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Cluster:
    """One object in several attempts: its annotations by attempt, the most typical first."""

    members: Mapping[int, Annotation]
    panel: Panel  # attempts that have not found the object have weight 0
    half: float  # half of the total weight

    @property
    def typical(self) -> Annotation:
        return next(iter(self.members.values()))

    def annotations(self) -> list[Annotation]:
        return list(self.members.values())

    def weights(self) -> list[float]:
        """The weights of the members, in their order."""
        return [self.panel.weights[attempt] for attempt in self.members]

    def given(self, read: Callable[[Annotation], Any]) -> list[Any]:
        """Returns a property of each attempt's annotation; None for attempts that have not found the object."""
        found = {attempt: read(each) for attempt, each in self.members.items()}
        return [found.get(attempt) for attempt in range(len(self.panel.weights))]

    def typically(self, wanted: str) -> "Cluster":
        """Returns the cluster with a typical member that has the wanted label."""
        members = sorted(self.members.items(), key=lambda each: each[1]["label"] != wanted)
        return Cluster(dict(members), self.panel, self.half)

    def like_typical(self) -> "Cluster":
        """Returns only the members with the typical one's label."""
        wanted = self.typical["label"]
        members = {attempt: each for attempt, each in self.members.items() if each["label"] == wanted}
        believed = dict(zip(members, self.panel.part(list(members)), strict=True))
        weights = [believed.get(attempt, 0.0) for attempt in range(len(self.panel.weights))]
        return Cluster(members, Panel(self.panel.judge, weights), self.half)


class Matcher(ABC):
    """Compares and combines the objects of a type, for given parameters."""

    labels: int | None = None  # number of possible labels

    @abstractmethod
    def group(self, annotation: Annotation, /) -> Hashable:
        """Only objects of the same group are compared."""

    @abstractmethod
    def measured(self, group: Any, annotations: Sequence[Annotation], /) -> tuple[Array, Features]:
        """Returns the objects' centers, a row (x, y) each, and the features to compare."""

    @abstractmethod
    def compare(self, group: Any, /) -> Compare:
        """Returns a function for the similarity of objects, row by row, 0 to 1."""

    def detail(self, one: Annotation, other: Annotation, /) -> float:  # noqa: ARG002
        """Returns the similarity of further properties of two objects with the same position and label, 0 to 1."""
        return 1.0

    @abstractmethod
    def joined(self, cluster: Cluster) -> dict[str, Any] | None:
        """Returns the object combined from the members, with the typical one's label and id; None if nothing
        remains."""


@dataclass(frozen=True)
class ObjectCluster:
    """The objects of all attempts that may be the same."""

    name: Hashable
    annotations: Sequence[Annotation]
    places: Sequence[int]  # indexes in their responses
    of: Mapping[int, Array]  # by attempt
    centers: Array
    features: Features
    labels: Array
    compare: Compare
    before: "ObjectCluster | None" = None  # the group that this one extends

    def alike(self, mine: Array, theirs: Array) -> Array:
        """Returns the similarity of the objects, row by row."""
        return self.compare(self.features, mine, theirs)

    def with_more(self, matcher: Matcher, objects: Sequence[tuple[int, Annotation]], attempt: int) -> "ObjectCluster":
        """Returns the group extended by the objects of another attempt, with their indexes in its response."""
        if not objects:
            return self
        annotations = [each for _, each in objects]
        centers, features = matcher.measured(self.name, annotations)
        size = len(self.annotations)
        return ObjectCluster(
            self.name,
            [*self.annotations, *annotations],
            [*self.places, *(place for place, _ in objects)],
            {**self.of, attempt: np.arange(size, size + len(objects))},
            np.concatenate([self.centers, centers]),
            tuple(np.concatenate(pair) for pair in zip(self.features, features, strict=True)),
            np.append(self.labels, [each["label"] for each in annotations]),
            self.compare,
            self,
        )

    @cached_property
    def contents(self) -> Sequence[Hashable]:
        """The compared properties of the annotations; equal for annotations that are identical."""
        known = [] if self.before is None else self.before.contents
        return [*known, *(self._content(row) for row in range(len(known), len(self.annotations)))]

    def _content(self, row: int) -> Hashable:
        each = self.annotations[row]
        said = label(each["attributes"]) if "attributes" in each else None
        return each["label"], each.get("text"), said, *(_bytes(of[row]) for of in self.features)

    def matched(self, mine: Array, theirs: Array) -> tuple[Array, Array, Array]:
        """Returns the objects that are the same, and their similarity."""
        if len(mine) * len(theirs) <= MAX_PAIRS:
            return self._matched(mine, theirs)
        # Of very many objects, only neighbours are compared. Identical objects can be paired first: because
        # dissimilarity satisfies the triangle inequality, no assignment is better than one that pairs them.
        ours, equals = self._equal(mine, theirs)
        rows, columns, alike = self._matched(np.setdiff1d(mine, ours), np.setdiff1d(theirs, equals))
        return np.append(ours, rows), np.append(equals, columns), np.append(np.ones(len(ours)), alike)

    def _equal(self, mine: Array, theirs: Array) -> tuple[Array, Array]:
        waiting: dict[Hashable, deque[int]] = {}
        for index in theirs.tolist():
            waiting.setdefault(self.contents[index], deque()).append(index)
        pairs = [(index, same.popleft()) for index in mine.tolist() if (same := waiting.get(self.contents[index]))]
        found = np.array(pairs, dtype=int).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def _matched(self, mine: Array, theirs: Array) -> tuple[Array, Array, Array]:
        if not len(mine) or not len(theirs):
            return mine[:0], theirs[:0], np.zeros(0)
        rows, columns = neighbours(self.centers[mine], self.centers[theirs])
        rows, columns = mine[rows], theirs[columns]
        alike = self.alike(rows, columns)
        near = alike >= SAME - _CLOSE
        rows, columns, alike = rows[near], columns[near], alike[near]
        found = assigned(rows, columns, alike * (1 + (self.labels[rows] == self.labels[columns])))
        return rows[found], columns[found], alike[found]


def _bytes(feature: Any) -> bytes:
    return feature.tobytes() if isinstance(feature, np.ndarray | np.generic) else repr(feature).encode()


def groups_of(matcher: Matcher, responses: Sequence[Mapping[str, Any]]) -> list[ObjectCluster]:
    """Returns the groups of objects of the attempts, each identified by its index among the responses."""
    parted: dict[Hashable, list[tuple[int, int, Annotation]]] = {}
    for attempt, response in enumerate(responses):
        for place, each in enumerate(response["annotations"]):
            parted.setdefault(matcher.group(each), []).append((attempt, place, each))
    found: list[ObjectCluster] = []
    for name, objects in parted.items():
        annotations = [each for _, _, each in objects]
        centers, features = matcher.measured(name, annotations)
        owners = np.array([attempt for attempt, _, _ in objects])
        of = {attempt: np.flatnonzero(owners == attempt) for attempt in np.unique(owners).tolist()}
        labels = np.array([each["label"] for each in annotations])
        places = [place for _, place, _ in objects]
        found.append(ObjectCluster(name, annotations, places, of, centers, features, labels, matcher.compare(name)))
    return found


def with_more(
    matcher: Matcher, groups: Sequence[ObjectCluster], response: Mapping[str, Any], attempt: int
) -> list[ObjectCluster]:
    """Returns the groups extended by one attempt, whose objects belong to the same groups."""
    parted: dict[Hashable, list[tuple[int, Annotation]]] = {}
    for place, each in enumerate(response["annotations"]):
        parted.setdefault(matcher.group(each), []).append((place, each))
    return [group.with_more(matcher, parted.get(group.name, []), attempt) for group in groups]


def likeness(matcher: Matcher, groups: Sequence[ObjectCluster], one: int, other: int) -> float:
    """Returns the similarity of two attempts: that of the objects that are the same with the same label, relative to
    the mean number of objects (F1, weighted by similarity)."""
    total = shared = 0.0
    for group in groups:
        mine, theirs = group.of.get(one), group.of.get(other)
        total += sum(len(each) for each in (mine, theirs) if each is not None)
        if mine is None or theirs is None:
            continue
        for row, column, alike in zip(*(each.tolist() for each in group.matched(mine, theirs)), strict=True):
            if group.labels[row] == group.labels[column]:
                shared += alike * matcher.detail(group.annotations[row], group.annotations[column])
    return min(1.0, 2 * shared / total) if total else 1.0


def compared(groups: Sequence[ObjectCluster], attempts: int) -> list[tuple[int, int]]:
    """Returns the pairs of attempts to compare: all or, if there are too many, each with its neighbours."""
    size = sum(len(group.annotations) for group in groups)
    rounds = max(1, min(attempts // 2, MAX_COMPARED // max(1, 2 * size)))
    steps = ((one, (one + step) % attempts) for step in range(1, rounds + 1) for one in range(attempts))
    return list(dict.fromkeys((min(pair), max(pair)) for pair in steps if pair[0] != pair[1]))


def clusters(groups: Sequence[ObjectCluster], order: Sequence[int], panel: Panel, pairs: Pairs) -> list[Cluster]:
    """Returns the objects that more than half of the weight has found, those of earlier attempts in the order first."""
    rank = {attempt: index for index, attempt in enumerate(order)}
    found: list[tuple[Any, Cluster]] = []
    for group in groups:
        members = _members(group, order, panel.weights)
        owners = [[attempt for attempt, index in enumerate(row) if index >= 0] for row in members.tolist()]
        firsts = [min(attempts, key=lambda attempt: rank[attempt]) for attempts in owners]
        places = [(rank[first], group.places[int(row[first])]) for first, row in zip(firsts, members, strict=True)]
        found += zip(places, _clusters(group, members, panel, pairs), strict=True)
    return [cluster for _, cluster in sorted(found, key=lambda each: each[0])]


def clusters_around(groups: Sequence[ObjectCluster], center: int, panel: Panel, pairs: Pairs) -> list[Cluster]:
    """Returns those of an attempt's objects, in order, that match objects found by more than half of the weight."""
    found: list[tuple[Any, Cluster]] = []
    for group in groups:
        heads = group.of.get(center, np.zeros(0, dtype=int))
        members = _members_around(group, heads, len(panel.weights))
        kept = (members >= 0) @ np.asarray(panel.weights) > sum(panel.weights) / 2 * (1 + _CLOSE)
        places = [group.places[index] for index in heads[kept].tolist()]
        found += zip(places, _clusters(group, members[kept], panel, pairs), strict=True)
    return [cluster for _, cluster in sorted(found, key=lambda each: each[0])]


def _clusters(group: ObjectCluster, members: Array, panel: Panel, pairs: Pairs) -> list[Cluster]:
    """Returns a cluster for each row of members."""
    found: list[Cluster] = []
    half = sum(panel.weights) / 2
    typical = _typical(group, members, panel.weights, pairs)
    for row, attempts in zip(members.tolist(), typical, strict=True):
        objects = {attempt: group.annotations[row[attempt]] for attempt in attempts if row[attempt] >= 0}
        weights = [weight if at >= 0 else 0.0 for weight, at in zip(panel.weights, row, strict=True)]
        found.append(Cluster(objects, Panel(panel.judge, weights), half))
    return found


def _members(group: ObjectCluster, order: Sequence[int], weights: Sequence[float]) -> Array:
    """Returns a row for each object that more than half of the weight has: by attempt its index in the group, or -1."""
    half, left = sum(weights) / 2, sum(weights)
    rows = np.full((0, len(weights)), -1)
    heads, held = np.zeros(0, dtype=int), np.zeros(0)
    for attempt in order:
        mine = group.of.get(attempt, np.zeros(0, dtype=int))
        place = {int(head): index for index, head in enumerate(heads)}
        matched, theirs, _ = group.matched(mine, heads)
        at = np.array([place[int(head)] for head in theirs], dtype=int)
        rows[at, attempt] = matched
        held[at] += weights[attempt]
        fresh = np.setdiff1d(mine, matched)
        more = np.full((len(fresh), len(weights)), -1)
        more[:, attempt] = fresh
        rows, heads = np.vstack([rows, more]), np.concatenate([heads, fresh])
        held = np.concatenate([held, np.full(len(fresh), weights[attempt])])
        left -= weights[attempt]
        alive = held + left > half * (1 + _CLOSE)  # the others can no longer be found by enough weight
        rows, heads, held = rows[alive], heads[alive], held[alive]
    return rows


def _members_around(group: ObjectCluster, heads: Array, attempts: int) -> Array:
    """Returns a row for each of these objects: by attempt, the index of its match in the group, or -1."""
    rows = np.full((len(heads), attempts), -1)
    for attempt in range(attempts):
        matched, theirs, _ = group.matched(group.of.get(attempt, heads[:0]), heads)
        rows[np.searchsorted(heads, theirs), attempt] = matched
    return rows


def _typical(group: ObjectCluster, members: Array, weights: Sequence[float], pairs: Pairs) -> list[list[int]]:
    """Returns the attempts of each object, first the one whose annotation is most similar to the others'."""
    totals = np.where(members >= 0, np.asarray(weights)[None, :] + _CLOSE, -1.0)
    for one, other in pairs:
        both = np.flatnonzero((members[:, one] >= 0) & (members[:, other] >= 0))
        if len(both):
            alike = group.alike(members[both, one], members[both, other])
            totals[both, one] += weights[other] * alike
            totals[both, other] += weights[one] * alike
    return np.argsort(-totals.round(9), axis=1, kind="stable").tolist()
