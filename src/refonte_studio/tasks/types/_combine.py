"""How several responses become one: votes where answers can be equal, the most typical one where they cannot.

Everywhere, a tie goes to what appears first among the responses, which come in their order of submission.
"""

import json
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from typing import Any, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

_CHARACTERS = 1_000


def identity(value: Any) -> Hashable:
    """Equal for equal JSON values; true is not 1."""
    if isinstance(value, str):
        return value
    return (json.dumps(value, sort_keys=True),)


def tally(values: Sequence[K]) -> dict[K, int]:
    """Votes by value, in order of first appearance."""
    votes: dict[K, int] = {}
    for value in values:
        votes[value] = votes.get(value, 0) + 1
    return votes


def majority(values: Sequence[T]) -> T:
    """The value most often given."""
    votes = tally([identity(value) for value in values])
    winner = max(votes, key=lambda value: votes[value])  # max keeps the first of equals
    return next(value for value in values if identity(value) == winner)


def chosen(answers: Sequence[Sequence[T]], fewest: int, most: int) -> list[T]:
    """The choices that more than half of the answers hold, at least `fewest` and at most `most` of them.

    Votes decide which ones come in or stay out to keep within the limits. The choices are listed in the order
    in which they first appear.
    """
    everything = [value for answer in answers for value in answer]
    votes = tally([identity(value) for value in everything])
    ranked = sorted(votes, key=lambda value: -votes[value])  # stable: ties in order of appearance
    agreed = sum(1 for value in ranked if votes[value] * 2 > len(answers))
    kept = set(ranked[: max(fewest, min(agreed, most))])
    found: dict[Hashable, T] = {}
    for value in everything:
        if identity(value) in kept:
            found.setdefault(identity(value), value)
    return list(found.values())


def medoid(items: Sequence[T], similarity: Callable[[T, T], float]) -> T:
    """The item that is most similar to the others, taken together."""
    totals = [0.0] * len(items)
    for one, other in combinations(range(len(items)), 2):
        likeness = similarity(items[one], items[other])
        totals[one] += likeness
        totals[other] += likeness
    # Rounded, so that the order of a sum does not decide between equals.
    return items[max(range(len(items)), key=lambda index: round(totals[index], 9))]


def grams(text: str) -> Counter[str]:
    """How often each sequence of three characters occurs, the text's ends included."""
    padded = f"  {text[:_CHARACTERS]}  "
    return Counter(padded[index : index + 3] for index in range(len(padded) - 2))


def text_similarity(one: str, other: str) -> float:
    """0 to 1: the share of sequences of three characters that two texts (their first thousand) have in common."""
    return 1.0 if one == other else gram_similarity(grams(one), grams(other))


def gram_similarity(one: Counter[str], other: Counter[str]) -> float:
    return 2 * (one & other).total() / (one.total() + other.total())


def typical(values: Sequence[T]) -> T:
    """What more than half agree on; without that, the value whose text is most similar to the others'."""
    favourite = majority(values)
    names = [identity(value) for value in values]
    if names.count(identity(favourite)) * 2 > len(values):
        return favourite
    counted = [grams(name if isinstance(name, str) else str(name)) for name in names]
    return values[medoid(range(len(values)), lambda one, other: gram_similarity(counted[one], counted[other]))]
