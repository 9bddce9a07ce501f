"""Texts that people typed: how alike two are, and which of several speaks for all."""

from collections.abc import Sequence

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from refonte_studio.consensus.medians import first_greatest

# The work of an edit distance grows with the product of the lengths; beyond this much, the ends are compared.
MAX_CHARACTERS = 4_000


def plain(text: str) -> str:
    """The text as it is compared: without regard to case and to how much white space there is."""
    return _bounded(" ".join(text.casefold().split()))


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS // 2] + text[-MAX_CHARACTERS // 2 :]


def text_cost(texts: Sequence[str]) -> float:
    """About how many microseconds it takes to compare two texts such as these, in the mean."""
    if not texts:
        return 0.0
    length = sum(map(len, texts)) / len(texts)
    return 20 + length / 8 + min(length, MAX_CHARACTERS) ** 2 / 30_000


def edit_similarity(one: str, other: str) -> float:
    """1 less the edits (Levenshtein 1966) that make one plain text the other, by the length of the longer one."""
    return 1.0 if one == other else Levenshtein.normalized_similarity(plain(one), plain(other))


def typical_text(texts: Sequence[str], weights: Sequence[float]) -> int:
    """The place of the text that speaks for all.

    One that more than half of the weight has, to the letter; else the medoid by edit distance: the one that needs the
    fewest edits to become the others. Ties go to the first.
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
