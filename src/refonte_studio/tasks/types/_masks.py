"""Masks as COCO run lengths: counts of pixels, column by column, background and foreground by turns."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from refonte_studio.tasks.types._checks import a_whole, an_array, at, missing, record, refuse

MAX_SIDE = 100_000
MAX_PIXELS = 400_000_000
MAX_RUNS = 1_000_000
_MAX_GROUPS = 7  # six-bit groups of a compressed count; five bits of each are the count's

Array = np.ndarray[Any, Any]


def check_rle(given: object, path: str) -> dict[str, Any]:
    """`{size: [height, width], counts}` with counts as a list, whose sum is the number of pixels."""
    found = record(given, path, ("size", "counts"))
    sides = an_array(found["size"], at(path, "size"), 2, 2)
    height, width = (a_whole(side, at(at(path, "size"), i), 1, MAX_SIDE) for i, side in enumerate(sides))
    if height * width > MAX_PIXELS:
        missing(at(path, "size"), f"makes {height * width} pixels, at most {MAX_PIXELS} are allowed")
    here = at(path, "counts")
    given_counts = found["counts"]
    counts = decoded(given_counts, here) if isinstance(given_counts, str) else given_counts
    counts = [a_whole(count, at(here, i), 0) for i, count in enumerate(an_array(counts, here, 1, MAX_RUNS))]
    if sum(counts) != height * width:
        missing(here, f"add up to {sum(counts)} pixels, the size {height} x {width} makes {height * width}")
    return {"size": [height, width], "counts": counts}


def decoded(text: str, path: str) -> list[int]:
    """The counts of COCO's compressed form."""
    if len(text) > MAX_RUNS * 2:
        missing(path, f"has {len(text)} characters, at most {MAX_RUNS * 2} are allowed")
    counts: list[int] = []
    value = shift = 0
    for index, character in enumerate(text):
        group = ord(character) - 48
        if not 0 <= group < 64 or shift >= 5 * _MAX_GROUPS:
            refuse(at(path, index), character, "does not belong into compressed run lengths")
        value |= (group & 0x1F) << shift
        shift += 5
        if group & 0x20:
            continue
        if group & 0x10:
            value -= 1 << shift  # the sign bit of the last group
        counts.append(value + counts[-2] if len(counts) > 2 else value)  # later counts are differences
        value = shift = 0
    if shift:
        missing(path, "breaks off within a count")
    return counts


def foreground(counts: Sequence[int]) -> Array:
    """The foreground's stretches of pixels, rows (start, end)."""
    edges = np.cumsum(np.asarray(counts, dtype=np.int64))
    runs = np.column_stack([edges[: len(counts) // 2 * 2 : 2], edges[1::2]])
    return runs[runs[:, 1] > runs[:, 0]]


def counts_of(runs: Array, pixels: int) -> list[int]:
    """The counts of a mask of so many pixels that has these stretches, which lie apart and in order."""
    edges = np.concatenate(([0], runs.ravel(), [pixels]))
    found = np.diff(edges).tolist()
    return found if found[-1] else found[:-1]
