"""What lies in the middle of several attempts, and how far they bear it out."""

import operator
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TypeVar

T = TypeVar("T")

# Jeffreys' prior (1946): before anybody has said anything, half a voice for and half a voice against.
PRIOR = 0.5


def believed(weights: Sequence[float]) -> list[float]:
    """The weights, or equal ones where nobody is believed at all."""
    found = [max(0.0, float(weight)) for weight in weights]
    return found if sum(found) > 0 else [1.0] * len(found)


def support(weights: Sequence[float], likeness: Sequence[float]) -> float:
    """How sure a result is that the attempts resemble so far (each 0 to 1): 0 to 1.

    The mean of a Beta distribution that starts from Jeffreys' prior and counts each attempt as a success in the
    measure of its likeness. Three attempts that agree give more than one that nobody contradicts, and one more that
    agrees never gives less.
    """
    pairs = zip(weights, likeness, strict=True)
    return (sum(weight * alike for weight, alike in pairs) + PRIOR) / (sum(weights) + 2 * PRIOR)


def middle(values: Sequence[float], weights: Sequence[float]) -> tuple[int, int]:
    """The places of the lower and the upper weighted median; they are the same place unless the halves balance.

    A median is not moved by the few who are far off: up to half of the weight may lie anywhere.
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
    """The weighted median, half-way between the two in the middle where the halves balance."""
    lower, upper = middle(values, weights)
    low, high = values[lower], values[upper]
    return low if low == high else (low + high) / 2


def medoid(items: Sequence[T], weights: Sequence[float], similarity: Callable[[T, T], float]) -> int:
    """The place of the item that is `most_typical` by that similarity."""
    return most_typical(table_of(items, similarity), weights)


def first_greatest(totals: Sequence[float]) -> int:
    """The place of the greatest, rounded so that the order of a sum does not decide between equals."""
    return max(range(len(totals)), key=lambda index: round(float(totals[index]), 9))


def agreement(items: Sequence[T], similarity: Callable[[T, T], float]) -> float:
    """The mean similarity of two of the items; 1 where there is but one."""
    return mean_of_pairs(table_of(items, similarity))


def table_of(items: Sequence[T], similarity: Callable[[T, T], float]) -> list[list[float]]:
    """How alike every two of the items are, which is the same either way round; 1 on the diagonal."""
    table = [[1.0] * len(items) for _ in items]
    for one, other in combinations(range(len(items)), 2):
        table[one][other] = table[other][one] = similarity(items[one], items[other])
    return table


def most_typical(table: Sequence[Sequence[float]], weights: Sequence[float]) -> int:
    """The place of the medoid: the item that is most similar to the others, taken together; ties to the first.

    After Kaufman and Rousseeuw (1987): a middle that is one of the things themselves, where no mean can be taken.
    """
    return first_greatest([sum(map(operator.mul, row, weights)) for row in table])


def mean_of_pairs(likeness: Sequence[Sequence[float]]) -> float:
    """The mean of what stands right of a square table's diagonal; 1 where nothing does."""
    above = [alike for index, row in enumerate(likeness) for alike in row[index + 1 :]]
    return sum(above) / len(above) if above else 1.0
