"""Masks as COCO run lengths: counts of pixels, column by column, background and foreground by turns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from refonte_studio.tasks.types._checks import a_whole, an_array, at, missing, record, refuse

MAX_SIDE = 100_000
MAX_PIXELS = 400_000_000
MAX_RUNS = 1_000_000
_MAX_GROUPS = 7  # six-bit groups of a compressed count; five bits of each are the count's

Run = tuple[int, int]


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


def foreground(counts: Sequence[int]) -> Iterator[Run]:
    """The foreground's stretches of pixels, start and end."""
    position = 0
    for index, count in enumerate(counts):
        if index % 2 and count:
            yield position, position + count
        position += count


def united(masks: Sequence[Mapping[str, Any]]) -> list[Run]:
    """The stretches that belong to any of the masks."""
    runs = sorted(run for mask in masks for run in foreground(mask["counts"]))
    found: list[Run] = []
    for start, end in runs:
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def shared(mine: Sequence[Run], theirs: Sequence[Run]) -> int:
    """How many pixels two lists of stretches have in common."""
    total = i = j = 0
    while i < len(mine) and j < len(theirs):
        total += max(0, min(mine[i][1], theirs[j][1]) - max(mine[i][0], theirs[j][0]))
        if mine[i][1] < theirs[j][1]:
            i += 1
        else:
            j += 1
    return total


def pixels(runs: Sequence[Run]) -> int:
    return sum(end - start for start, end in runs)
