"""The most typical of several responses that annotate: the one whose annotations best pair off with the others'.

Every response is compared with every other one, and their annotations pairwise, so each is prepared once, and the
number of pairs that are looked at is bounded.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refonte_studio.tasks.types._combine import medoid

# Up to this many pairs of annotations of two responses are all looked at. Beyond it, an annotation is compared
# with those nearest to it in the order of their anchors; with one of them at least.
MAX_PAIRS = 2_500


@dataclass(frozen=True, slots=True)
class Item:
    """An annotation as it is compared: only with others of its group, nearby ones by anchor first."""

    group: Hashable
    anchor: float
    feature: Any


Score = Callable[[Any, Any], float]
Prepared = Mapping[Hashable, Sequence[Item]]


def typical_response(
    responses: Sequence[dict[str, Any]],
    prepare: Callable[[Mapping[str, Any]], Item],
    near: Score,
    worth: Score | None = None,
) -> dict[str, Any]:
    """The response most similar to the others, ties to the earlier one.

    Annotations of a group are paired by `near`, the nearest first, 0 being no pair. A pair counts by `worth`, where
    that is another score. The similarity of two responses is the sum over the pairs by the number of annotations
    that one of them has, or the other, per group.
    """
    prepared = [_grouped([prepare(each) for each in response["annotations"]]) for response in responses]
    return responses[
        medoid(range(len(responses)), lambda one, other: _similarity(prepared[one], prepared[other], near, worth))
    ]


def _grouped(items: Sequence[Item]) -> Prepared:
    groups: dict[Hashable, list[Item]] = {}
    for item in sorted(items, key=lambda item: item.anchor):
        groups.setdefault(item.group, []).append(item)
    return groups


def _similarity(one: Prepared, other: Prepared, near: Score, worth: Score | None) -> float:
    total = matched = 0.0
    budget = MAX_PAIRS
    for group in {**one, **other}:
        mine, theirs = one.get(group, ()), other.get(group, ())
        total += max(len(mine), len(theirs))
        if mine and theirs:
            window = budget // len(mine) // 2
            matched += _paired(mine, theirs, near, worth, window)
    return matched / total if total else 1.0


def _paired(mine: Sequence[Item], theirs: Sequence[Item], near: Score, worth: Score | None, window: int) -> float:
    """The sum over the best pairs, each item used once, best pair first."""
    scored = [(near(mine[i].feature, theirs[j].feature), i, j) for i, j in _candidates(mine, theirs, window)]
    scored.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    used_mine: set[int] = set()
    used_theirs: set[int] = set()
    total = 0.0
    for score, i, j in scored:
        if score and i not in used_mine and j not in used_theirs:
            used_mine.add(i)
            used_theirs.add(j)
            total += score if worth is None else worth(mine[i].feature, theirs[j].feature)
    return total


def _candidates(mine: Sequence[Item], theirs: Sequence[Item], window: int) -> Iterator[tuple[int, int]]:
    """Pairs of places to look at: all of them, or those whose anchors are next to each other."""
    if window * 2 >= len(theirs):
        yield from ((i, j) for i in range(len(mine)) for j in range(len(theirs)))
        return
    anchors = [item.anchor for item in theirs]
    for i, item in enumerate(mine):
        middle = min(bisect_left(anchors, item.anchor), len(theirs) - 1)
        yield from ((i, j) for j in range(max(0, middle - window), min(len(theirs), middle + window + 1)))
