"""Typed texts: the similarity of two, and the most typical of several."""

from collections.abc import Sequence

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from refonte_studio.consensus.medians import first_greatest

# An edit distance costs the product of the lengths; of longer texts, only both ends are compared.
MAX_CHARACTERS = 4_000


def plain(text: str) -> str:
    """Returns the text in the form in which it is compared: case-folded, with white space collapsed."""
    return _bounded(" ".join(text.casefold().split()))


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS // 2] + text[-MAX_CHARACTERS // 2 :]


def text_cost(texts: Sequence[str]) -> float:
    """Returns the approximate mean time to compare two of these texts, in microseconds."""
    if not texts:
        return 0.0
    length = sum(map(len, texts)) / len(texts)
    return 20 + length / 8 + min(length, MAX_CHARACTERS) ** 2 / 30_000


def edit_similarity(one: str, other: str) -> float:
    """Returns 1 minus the edit distance (Levenshtein 1966) of the plain texts, divided by the longer length."""
    return 1.0 if one == other else Levenshtein.normalized_similarity(plain(one), plain(other))


def typical_text(texts: Sequence[str], weights: Sequence[float]) -> int:
    """Returns the index of the most typical text.

    This is the text that more than half of the weight gives literally; otherwise the medoid by edit distance, which
    needs the fewest edits to become the others. Ties go to the first.
    """
    votes: dict[str, float] = {}
    for text, weight in zip(texts, weights, strict=True):
        votes[text] = votes.get(text, 0.0) + weight
    favourite = max(votes, key=lambda text: round(votes[text], 9))
    if votes[favourite] > sum(weights) / 2:
        return texts.index(favourite)
    bounded = [_bounded(text) for text in texts]
    alike = process.cdist(bounded, bounded, scorer=Levenshtein.normalized_similarity)
    return first_greatest((alike @ np.asarray(weights, dtype=float)).tolist())
