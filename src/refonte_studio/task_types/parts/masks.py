"""Masks as COCO run lengths: counts of pixels, column by column, alternating background and foreground."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from refonte_studio.task_types.parts.checks import a_whole, an_array, at, missing, record, refuse
from refonte_studio.task_types.parts.size_limits import MAX_RUNS

MAX_SIDE = 100_000
MAX_PIXELS = 400_000_000
_MAX_GROUPS = 7  # six-bit groups of a compressed count; five bits of each belong to the count

Array = np.ndarray[Any, Any]


def check_rle(given: object, path: str, most_runs: int = MAX_RUNS) -> dict[str, Any]:
    """Checks `{size: [height, width], counts}`: counts is a list whose sum is the number of pixels, some of them
    marked."""
    found = record(given, path, ("size", "counts"))
    sides = an_array(found["size"], at(path, "size"), 2, 2)
    height, width = (a_whole(side, at(at(path, "size"), i), 1, MAX_SIDE) for i, side in enumerate(sides))
    if height * width > MAX_PIXELS:
        missing(at(path, "size"), f"makes {height * width} pixels, at most {MAX_PIXELS} are allowed")
    here = at(path, "counts")
    given_counts = found["counts"]
    counts = decoded(given_counts, here) if isinstance(given_counts, str) else given_counts
    if isinstance(counts, list) and len(counts) > most_runs:
        missing(here, f"brings the runs of all masks to more than {MAX_RUNS:,}, which is the most that are allowed")
    counts = _whole_counts(an_array(counts, here, 1, MAX_RUNS), here)
    if sum(counts) != height * width:
        missing(here, f"add up to {sum(counts)} pixels, the size {height} x {width} makes {height * width}")
    if not any(counts[1::2]):
        missing(here, "mark no pixel")
    return {"size": [height, width], "counts": counts}


def _whole_counts(counts: list[Any], path: str) -> list[int]:
    """Returns the counts, all whole and not negative. There may be a million, so they are checked all at once."""
    if set(map(type, counts)) == {int} and min(counts) >= 0 and max(counts) <= MAX_PIXELS:
        return counts
    whole: list[Any] = [int(each) if type(each) is float and each.is_integer() else each for each in counts]
    wrong = (i for i, each in enumerate(whole) if type(each) is not int or not 0 <= each <= MAX_PIXELS)
    for index in wrong:
        a_whole(counts[index], at(path, index), 0, MAX_PIXELS)
    return whole


def decoded(text: str, path: str) -> list[int]:
    """Decodes the counts of COCO's compressed form: groups of six bits, of which the sixth marks continuation."""
    if len(text) > MAX_RUNS * 2:
        missing(path, f"has {len(text)} characters, at most {MAX_RUNS * 2} are allowed")
    groups = np.array([ord(character) for character in text], dtype=np.int64) - 48
    ends = np.flatnonzero(groups & 0x20 == 0)
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else np.zeros(min(1, len(groups)), dtype=np.int64)
    place = np.arange(len(groups)) - np.repeat(starts, np.diff(np.append(starts, len(groups))))
    wrong = np.flatnonzero((groups < 0) | (groups >= 64) | (place >= _MAX_GROUPS))
    if len(wrong):
        refuse(at(path, int(wrong[0])), text[int(wrong[0])], "does not belong into compressed run lengths")
    if len(groups) and (not len(ends) or ends[-1] < len(groups) - 1):
        missing(path, "breaks off within a count")
    if not len(groups):
        return []
    values = np.add.reduceat((groups & 0x1F) << (5 * place), starts)
    values -= np.where(groups[ends] & 0x10, 1 << (5 * (place[ends] + 1)), 0)  # the sign bit of the last group
    # From the fourth on, counts are differences from the second to last one.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values.tolist()


def foreground(counts: Sequence[int]) -> Array:
    """Returns the foreground's stretches of pixels, in rows (start, end)."""
    edges = np.cumsum(np.asarray(counts, dtype=np.int64))
    runs = np.column_stack([edges[: len(counts) // 2 * 2 : 2], edges[1::2]])
    return runs[runs[:, 1] > runs[:, 0]]


def counts_of(runs: Array, pixels: int) -> list[int]:
    """Returns the counts of a mask with this number of pixels and these stretches, which must be separate and in
    order."""
    edges = np.concatenate(([0], runs.ravel(), [pixels]))
    found = np.diff(edges).tolist()
    return found if found[-1] else found[:-1]
