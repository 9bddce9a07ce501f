"""Medians and medoids of several attempts, and how well the attempts support them."""

import operator
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TypeVar

T = TypeVar("T")

# Jeffreys' prior (1946): before any attempt, half a vote for and half a vote against.
PRIOR = 0.5


def believed(weights: Sequence[float]) -> list[float]:
    """Returns the weights, negative ones as 0; if all are 0, equal weights."""
    found = [max(0.0, float(weight)) for weight in weights]
    return found if sum(found) > 0 else [1.0] * len(found)


def support(weights: Sequence[float], likeness: Sequence[float]) -> float:
    """Returns the confidence (0 to 1) in a result from the attempts' similarities to it (each 0 to 1).

    This is the mean of a Beta distribution that starts from Jeffreys' prior and counts each attempt as a success to
    the degree of its similarity. Three attempts that agree give more than one without contradiction, and one more
    attempt that agrees never gives less.
    """
    pairs = zip(weights, likeness, strict=True)
    return (sum(weight * alike for weight, alike in pairs) + PRIOR) / (sum(weights) + 2 * PRIOR)


def middle(values: Sequence[float], weights: Sequence[float]) -> tuple[int, int]:
    """Returns the indexes of the lower and the upper weighted median; equal unless the halves balance.

    Outliers do not move a median as long as they hold less than half of the weight.
    """
    order = sorted(range(len(values)), key=lambda index: (values[index], index))
    half, reached = sum(weights) / 2, 0.0
    for at, index in enumerate(order):
        reached += weights[index]
        if reached > half * (1 + 1e-12):
            return index, index
        if reached >= half * (1 - 1e-12):
            above = next((each for each in order[at + 1 :] if weights[each] > 0), index)
            return index, above
    return order[-1], order[-1]


def weighted_median(values: Sequence[float], weights: Sequence[float]) -> float:
    """Returns the weighted median; the mean of the lower and the upper one if the halves balance."""
    lower, upper = middle(values, weights)
    low, high = values[lower], values[upper]
    return low if low == high else (low + high) / 2


def medoid(items: Sequence[T], weights: Sequence[float], similarity: Callable[[T, T], float]) -> int:
    """Returns the index of the item that is `most_typical` by this similarity."""
    return most_typical(table_of(items, similarity), weights)


def first_greatest(totals: Sequence[float]) -> int:
    """Returns the index of the first greatest total, rounded so that the order of summation does not break ties."""
    return max(range(len(totals)), key=lambda index: round(float(totals[index]), 9))


def agreement(items: Sequence[T], similarity: Callable[[T, T], float]) -> float:
    """Returns the mean similarity of all pairs of items; 1 for a single item."""
    return mean_of_pairs(table_of(items, similarity))


def table_of(items: Sequence[T], similarity: Callable[[T, T], float]) -> list[list[float]]:
    """Returns the symmetric table of similarities between the items; 1 on the diagonal."""
    table = [[1.0] * len(items) for _ in items]
    for one, other in combinations(range(len(items)), 2):
        table[one][other] = table[other][one] = similarity(items[one], items[other])
    return table


def most_typical(table: Sequence[Sequence[float]], weights: Sequence[float]) -> int:
    """Returns the index of the medoid, the item with the greatest total similarity to the others; ties to the first.

    After Kaufman and Rousseeuw (1987): the central item, for items that have no mean.
    """
    return first_greatest([sum(map(operator.mul, row, weights)) for row in table])


def mean_of_pairs(likeness: Sequence[Sequence[float]]) -> float:
    """Returns the mean of a square table's values above the diagonal; 1 if there are none."""
    above = [alike for index, row in enumerate(likeness) for alike in row[index + 1 :]]
    return sum(above) / len(above) if above else 1.0
