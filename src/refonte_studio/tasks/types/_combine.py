"""How several responses become one: votes where answers can be equal, the most typical one where they cannot.

Everywhere, a tie goes to what appears first among the responses, which come in their order of submission.
"""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import combinations
from typing import Any, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

# Beyond this many comparisons between two responses, items are paired in order instead of by best match.
MAX_PAIRS = 10_000
_CHARACTERS = 200
_WORDS = 300


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


def text_similarity(one: str, other: str) -> float:
    """0 to 1: of the characters of short texts, of the words of long ones (the first few hundred)."""
    if one == other:
        return 1.0
    if max(len(one), len(other)) <= _CHARACTERS:
        return SequenceMatcher(None, one, other, autojunk=False).ratio()
    words = one.split()[:_WORDS], other.split()[:_WORDS]
    return SequenceMatcher(None, *words, autojunk=False).ratio()


def typical_text(texts: Sequence[str]) -> str:
    """The text that more than half agree on; without one, the text most similar to the others."""
    favourite = majority(texts)
    if sum(text == favourite for text in texts) * 2 > len(texts):
        return favourite
    return medoid(texts, text_similarity)


Annotation = Mapping[str, Any]
Score = Callable[[Annotation, Annotation], float]


def annotation_similarity(
    ones: Sequence[Annotation], others: Sequence[Annotation], group: Callable[[Annotation], Hashable], score: Score
) -> float:
    """0 to 1: how well the annotations of two responses pair off within their groups. Two empty ones agree."""
    total = matched = 0.0
    left, right = _grouped(ones, group), _grouped(others, group)
    budget = MAX_PAIRS
    for name in [*left, *(name for name in right if name not in left)]:
        mine, theirs = left.get(name, []), right.get(name, [])
        pairs = len(mine) * len(theirs)
        matched += _best_pairs(mine, theirs, score) if pairs <= budget else _in_order(mine, theirs, score)
        total += max(len(mine), len(theirs))
        budget = max(0, budget - pairs)
    return matched / total if total else 1.0


def _grouped(items: Sequence[Annotation], group: Callable[[Annotation], Hashable]) -> dict[Hashable, list[Annotation]]:
    groups: dict[Hashable, list[Annotation]] = {}
    for item in items:
        groups.setdefault(group(item), []).append(item)
    return groups


def _best_pairs(mine: Sequence[Annotation], theirs: Sequence[Annotation], score: Score) -> float:
    """The sum of the scores of the best pairs, each item used once, best pair first."""
    scored = [(score(a, b), i, j) for i, a in enumerate(mine) for j, b in enumerate(theirs)]
    scored.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    used_mine: set[int] = set()
    used_theirs: set[int] = set()
    total = 0.0
    for value, i, j in scored:
        if i not in used_mine and j not in used_theirs:
            used_mine.add(i)
            used_theirs.add(j)
            total += value
    return total


def _in_order(mine: Sequence[Annotation], theirs: Sequence[Annotation], score: Score) -> float:
    return sum(score(a, b) for a, b in zip(mine, theirs, strict=False))
