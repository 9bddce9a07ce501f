"""Types whose responses are objects found in something: which objects are the same, and what several attempts give.

Objects of two attempts are the same where they are at least half alike, by the assignment that is best as a whole
(`consensus.matching`); those with the same label are preferred. Of all attempts, the most typical one's objects come
first, each of the others' joins the object it matches or is a new one, and what more than half of the weight has found
is kept. What comes of that is matched anew with all attempts, until nothing changes, or a few times. No loop here is
longer than the objects there are times a bounded number.
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
Features = tuple[Array, ...]  # of the same length, a row for each object
Compare = Callable[[Features, Array, Array], Array]  # features, and the rows of the objects to compare
Annotation = Mapping[str, Any]
Pairs = Sequence[tuple[int, int]]  # of attempts

SAME = 0.5
# Attempts are compared each with each while their objects, all in all, are not more than this; else with their next.
MAX_COMPARED = 24_000
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Cluster:
    """One object as several attempts have it: the annotations by attempt, the most typical first."""

    members: Mapping[int, Annotation]
    panel: Panel  # the weights of those who have not found the object are 0
    half: float  # of the weight of all

    @property
    def typical(self) -> Annotation:
        return next(iter(self.members.values()))

    def annotations(self) -> list[Annotation]:
        return list(self.members.values())

    def weights(self) -> list[float]:
        """Of the members, in their order."""
        return [self.panel.weights[attempt] for attempt in self.members]

    def given(self, read: Callable[[Annotation], Any]) -> list[Any]:
        """Something of each attempt's annotation; None for those who have not found the object."""
        found = {attempt: read(each) for attempt, each in self.members.items()}
        return [found.get(attempt) for attempt in range(len(self.panel.weights))]

    def typically(self, wanted: str) -> "Cluster":
        """The cluster with a typical member that has the label wanted."""
        members = sorted(self.members.items(), key=lambda each: each[1]["label"] != wanted)
        return Cluster(dict(members), self.panel, self.half)

    def like_typical(self) -> "Cluster":
        """Those members only that have the typical one's label."""
        wanted = self.typical["label"]
        members = {attempt: each for attempt, each in self.members.items() if each["label"] == wanted}
        believed = dict(zip(members, self.panel.part(list(members)), strict=True))
        weights = [believed.get(attempt, 0.0) for attempt in range(len(self.panel.weights))]
        return Cluster(members, Panel(self.panel.judge, weights), self.half)


class Matcher(ABC):
    """How the objects of a type are compared and joined, under given parameters."""

    labels: int | None = None  # how many there are to choose from

    @abstractmethod
    def group(self, annotation: Annotation, /) -> Hashable:
        """Only objects of the same group are compared."""

    @abstractmethod
    def measured(self, group: Any, annotations: Sequence[Annotation], /) -> tuple[Array, Features]:
        """The objects' centers, a row (x, y) each, and what of them is compared."""

    @abstractmethod
    def compare(self, group: Any, /) -> Compare:
        """How alike objects are, row by row, 0 to 1."""

    def detail(self, one: Annotation, other: Annotation, /) -> float:  # noqa: ARG002
        """How alike is what is said about two objects of the same place and label, 0 to 1."""
        return 1.0

    @abstractmethod
    def joined(self, cluster: Cluster) -> dict[str, Any] | None:
        """The object that the members give, with the typical one's label and id; None where nothing is left of it."""


@dataclass(frozen=True)
class ObjectCluster:
    """The objects of all attempts that may be the same."""

    name: Hashable
    annotations: Sequence[Annotation]
    places: Sequence[int]  # in their responses
    of: Mapping[int, Array]  # by attempt
    centers: Array
    features: Features
    labels: Array
    compare: Compare
    before: "ObjectCluster | None" = None  # the one that this one extends

    def alike(self, mine: Array, theirs: Array) -> Array:
        """How alike the objects are, row by row."""
        return self.compare(self.features, mine, theirs)

    def with_more(self, matcher: Matcher, objects: Sequence[tuple[int, Annotation]], attempt: int) -> "ObjectCluster":
        """The group and the objects of one more attempt, by their places in its response."""
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
        """What is compared of the annotations; equal for those that are alike in everything."""
        known = [] if self.before is None else self.before.contents
        return [*known, *(self._content(row) for row in range(len(known), len(self.annotations)))]

    def _content(self, row: int) -> Hashable:
        each = self.annotations[row]
        said = label(each["attributes"]) if "attributes" in each else None
        return each["label"], each.get("text"), said, *(_bytes(of[row]) for of in self.features)

    def matched(self, mine: Array, theirs: Array) -> tuple[Array, Array, Array]:
        """The objects that are the same, and how alike they are."""
        if len(mine) * len(theirs) <= MAX_PAIRS:
            return self._matched(mine, theirs)
        # Of very many objects only neighbours are compared. What is equal need not be: no assignment is better than
        # one that holds equals together, since unlikeness, however measured here, obeys the triangle inequality.
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
    """The objects of the attempts, each of which is known by its place among the responses."""
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
    """The groups and one more attempt, whose objects are of the same groups."""
    parted: dict[Hashable, list[tuple[int, Annotation]]] = {}
    for place, each in enumerate(response["annotations"]):
        parted.setdefault(matcher.group(each), []).append((place, each))
    return [group.with_more(matcher, parted.get(group.name, []), attempt) for group in groups]


def likeness(matcher: Matcher, groups: Sequence[ObjectCluster], one: int, other: int) -> float:
    """Of two attempts: the likeness of the objects that are the same and have the same label, by the mean number of
    objects (F1, a pair counting as much as it is alike)."""
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
    """The pairs of attempts to look at: all of them, or where that would be too much, each with those next to it."""
    size = sum(len(group.annotations) for group in groups)
    rounds = max(1, min(attempts // 2, MAX_COMPARED // max(1, 2 * size)))
    steps = ((one, (one + step) % attempts) for step in range(1, rounds + 1) for one in range(attempts))
    return list(dict.fromkeys((min(pair), max(pair)) for pair in steps if pair[0] != pair[1]))


def clusters(groups: Sequence[ObjectCluster], order: Sequence[int], panel: Panel, pairs: Pairs) -> list[Cluster]:
    """The objects that more than half of the weight has found, those of the earlier attempts in the order first."""
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
    """Those of an attempt's objects, in its order, that match what more than half of the weight has found."""
    found: list[tuple[Any, Cluster]] = []
    for group in groups:
        heads = group.of.get(center, np.zeros(0, dtype=int))
        members = _members_around(group, heads, len(panel.weights))
        kept = (members >= 0) @ np.asarray(panel.weights) > sum(panel.weights) / 2 * (1 + _CLOSE)
        places = [group.places[index] for index in heads[kept].tolist()]
        found += zip(places, _clusters(group, members[kept], panel, pairs), strict=True)
    return [cluster for _, cluster in sorted(found, key=lambda each: each[0])]


def _clusters(group: ObjectCluster, members: Array, panel: Panel, pairs: Pairs) -> list[Cluster]:
    """One for each row of members."""
    found: list[Cluster] = []
    half = sum(panel.weights) / 2
    typical = _typical(group, members, panel.weights, pairs)
    for row, attempts in zip(members.tolist(), typical, strict=True):
        objects = {attempt: group.annotations[row[attempt]] for attempt in attempts if row[attempt] >= 0}
        weights = [weight if at >= 0 else 0.0 for weight, at in zip(panel.weights, row, strict=True)]
        found.append(Cluster(objects, Panel(panel.judge, weights), half))
    return found


def _members(group: ObjectCluster, order: Sequence[int], weights: Sequence[float]) -> Array:
    """A row for each object that more than half of the weight has: by attempt its place in the group, or -1."""
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
        alive = held + left > half * (1 + _CLOSE)  # the others cannot be found by enough any more
        rows, heads, held = rows[alive], heads[alive], held[alive]
    return rows


def _members_around(group: ObjectCluster, heads: Array, attempts: int) -> Array:
    """A row for each of these objects: by attempt, the place of what matches it in the group, or -1."""
    rows = np.full((len(heads), attempts), -1)
    for attempt in range(attempts):
        matched, theirs, _ = group.matched(group.of.get(attempt, heads[:0]), heads)
        rows[np.searchsorted(heads, theirs), attempt] = matched
    return rows


def _typical(group: ObjectCluster, members: Array, weights: Sequence[float], pairs: Pairs) -> list[list[int]]:
    """By object, the attempts: first the one whose annotation is most like the others', taken together."""
    totals = np.where(members >= 0, np.asarray(weights)[None, :] + _CLOSE, -1.0)
    for one, other in pairs:
        both = np.flatnonzero((members[:, one] >= 0) & (members[:, other] >= 0))
        if len(both):
            alike = group.alike(members[both, one], members[both, other])
            totals[both, one] += weights[other] * alike
            totals[both, other] += weights[one] * alike
    return np.argsort(-totals.round(9), axis=1, kind="stable").tolist()
