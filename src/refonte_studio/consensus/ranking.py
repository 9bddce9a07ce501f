"""Rankings: strengths from pairwise wins, a combined order of several orders, and the similarity of two."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeVar

import numpy as np

K = TypeVar("K", bound=Hashable)

_ROUNDS = 10_000
_CLOSE = 1e-10
# Wins added to each item over every other: little compared with the votes, and enough for strengths to exist when an
# item wins every time.
_PRIOR = 0.05


def bradley_terry(wins: Sequence[Sequence[float]] | np.ndarray[Any, Any], prior: float = 0.0) -> list[float]:
    """Returns the strengths p, with sum 1, that maximize the likelihood that i beats j `wins[i][j]` times.

    In the model of Bradley and Terry (1952), i beats j with probability p_i / (p_i + p_j). It is fitted with Hunter's
    (2004) MM algorithm, which increases the likelihood in each round. `prior` is added to the wins of each item over
    every other. Without it, strengths exist only if no group of items always beats the rest; otherwise the best found
    in a bounded number of rounds is returned.
    """
    games = np.asarray(wins, dtype=float)
    count = len(games)
    if count < 2:
        return [1.0] * count
    games = games + prior * (1 - np.eye(count))
    won, met = games.sum(axis=1), games + games.T
    np.fill_diagonal(met, 0)
    strengths = np.full(count, 1 / count)
    for _ in range(_ROUNDS):
        sums = strengths[:, None] + strengths[None, :]
        faced = np.divide(met, sums, out=np.zeros_like(met), where=sums > 0).sum(axis=1)
        fresh = np.divide(won, faced, out=np.zeros(count), where=faced > 0)
        fresh /= fresh.sum() or 1.0
        moved = float(np.abs(fresh - strengths).max())
        strengths = fresh
        if moved < _CLOSE:
            break
    return [float(each) for each in strengths]


def ranked(orders: Sequence[Sequence[K]], weights: Sequence[float]) -> list[K]:
    """Combines several orders into one: strongest first, by Bradley and Terry's model of which item precedes which.

    Ties go to the item that comes first in the first order.
    """
    items = list(dict.fromkeys(item for order in orders for item in order))
    place = {item: index for index, item in enumerate(items)}
    wins = np.zeros((len(items), len(items)))
    for order, weight in zip(orders, weights, strict=True):
        places = np.array([place[item] for item in order])
        for at in range(len(places) - 1):
            wins[places[at], places[at + 1 :]] += weight
    strengths = bradley_terry(wins, _PRIOR)
    return sorted(items, key=lambda item: -round(strengths[place[item]], 9))


def tied(rankings: Sequence[Sequence[Sequence[K]]], weights: Sequence[float]) -> list[list[K]]:
    """Combines several rankings of the same items into one; items may share a rank.

    Strongest first, by Bradley and Terry's model; a shared rank counts as half a win for each. Items of the same
    strength share a rank.
    """
    items = list(dict.fromkeys(item for ranking in rankings for place in ranking for item in place))
    number = {item: index for index, item in enumerate(items)}
    wins = np.zeros((len(items), len(items)))
    for ranking, weight in zip(rankings, weights, strict=True):
        at = {number[item]: rank for rank, place in enumerate(ranking) for item in place}
        for one, other in combinations(sorted(at), 2):
            first = 0.5 if at[one] == at[other] else float(at[one] < at[other])
            wins[one, other] += weight * first
            wins[other, one] += weight * (1 - first)
    strengths = [round(each, 6) for each in bradley_terry(wins, _PRIOR)]
    return [
        [item for item in items if strengths[number[item]] == strength]
        for strength in sorted(set(strengths), reverse=True)
    ]


def concordance(one: Sequence[K], other: Sequence[K]) -> float:
    """Returns Kendall's tau (1938) of two orders of the same items, scaled from 0 (reversed) to 1 (equal)."""
    place: Mapping[K, int] = {item: index for index, item in enumerate(other)}
    common = [place[item] for item in one if item in place]
    pairs = len(common) * (len(common) - 1) // 2
    if not pairs:
        return 1.0 if list(one) == list(other) else 0.0
    return sum(before < after for before, after in combinations(common, 2)) / pairs
