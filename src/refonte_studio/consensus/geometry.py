"""Compares shapes and ranges, and combines several of them.

Boxes are rows (left, top, right, bottom); ranges of time or of pixels are rows (start, end). Comparisons take two
arrays of the same length and compare them row by row.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# The number of equidistant points at which lines are compared.
STEPS = 16
# The number of cells per axis into which an outline's bounding box is divided to compare it.
CELLS = 24


def overlaps(one: Array, other: Array) -> Array:
    """Returns the intersection over union (Jaccard 1912) of boxes; 1 for equal boxes, however small."""
    width = np.minimum(one[:, 2], other[:, 2]) - np.maximum(one[:, 0], other[:, 0])
    height = np.minimum(one[:, 3], other[:, 3]) - np.maximum(one[:, 1], other[:, 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    found = _share(shared, _areas(one) + _areas(other) - shared)
    found[(one == other).all(axis=1)] = 1.0
    return found


def _areas(boxes: Array) -> Array:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _share(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def common_time(one: Array, other: Array) -> Array:
    """Returns the intersection over union of ranges of time."""
    shared = np.minimum(one[:, 1], other[:, 1]) - np.maximum(one[:, 0], other[:, 0])
    whole = np.maximum(one[:, 1], other[:, 1]) - np.minimum(one[:, 0], other[:, 0])
    return _share(np.maximum(shared, 0), whole)


def nearness(distance: Array, half_alike: Array | float) -> Array:
    """Returns the similarity of two points: 1 at distance 0, 0.5 at the distance `half_alike`, falling towards 0.

    This is the bell curve of COCO's object keypoint similarity.
    """
    return np.exp2(-((distance / half_alike) ** 2))


def apart(one: Array, other: Array) -> Array:
    """Returns the mean distance between the points of two sequences, row by row; the arrays are (row, point, 2)."""
    return np.hypot(one[..., 0] - other[..., 0], one[..., 1] - other[..., 1]).mean(axis=1)


def spaced(points: Array) -> Array:
    """Returns `STEPS` points at equal distances along a line, its ends included."""
    lengths = np.hypot(*np.diff(points, axis=0).T)
    passed = np.concatenate(([0.0], np.cumsum(lengths)))
    wanted = np.linspace(0, passed[-1], STEPS)
    found = np.column_stack([np.interp(wanted, passed, points[:, axis]) for axis in (0, 1)])
    found[0], found[-1] = points[0], points[-1]
    return found


def length(points: Array) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def ellipse(x: float, y: float, rx: float, ry: float, rotation: float) -> Array:
    """Returns points along an ellipse with radii `rx` and `ry`, rotated by `rotation` degrees."""
    around = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    turn = math.radians(rotation)
    along, across = rx * np.cos(around), ry * np.sin(around)
    xs = x + along * math.cos(turn) - across * math.sin(turn)
    return np.column_stack([xs, y + along * math.sin(turn) + across * math.cos(turn)])


def around(points: Array) -> Array:
    """Returns the bounding box of the points."""
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def filled(points: Array) -> Array:
    """Returns which cells of a closed outline's bounding box lie inside it, by the even-odd rule: (row, column).

    An outline that encloses no cell counts as its whole bounding box.
    """
    left, top, right, bottom = around(points)
    x, y = points[:, 0], points[:, 1]
    next_x, next_y = np.concatenate((x[1:], x[:1])), np.concatenate((y[1:], y[:1]))
    rise = np.where(next_y == y, 1.0, next_y - y)
    levels = (top + (np.arange(CELLS) + 0.5) * (bottom - top) / CELLS)[:, None]
    rows, edges = np.nonzero((y > levels) != (next_y > levels))
    at = x[edges] + (levels[rows, 0] - y[edges]) * (next_x - x)[edges] / rise[edges]
    # The first cell whose center lies beyond the crossing; from there on, inside and outside swap.
    first = np.ceil((at - left) / max(right - left, 1e-12) * CELLS - 0.5).clip(0, CELLS).astype(int)
    crossings = np.bincount(rows * (CELLS + 1) + first, minlength=CELLS * (CELLS + 1)).reshape(CELLS, CELLS + 1)
    inside = np.cumsum(crossings[:, :CELLS], axis=1) % 2 == 1
    return inside if inside.any() else np.ones_like(inside)


def outline_overlaps(boxes: Array, cells: Array, other_boxes: Array, other_cells: Array) -> Array:
    """Returns the intersection over union of outlines, each given by its bounding box and its `filled` cells.

    It is estimated cell by cell from the part of each outline that lies inside the other; exactly 1 for equal outlines.
    """
    area, other_area = _areas(boxes) * _filling(cells), _areas(other_boxes) * _filling(other_cells)
    ours = _within(boxes, cells, other_boxes, other_cells) * area
    theirs = _within(other_boxes, other_cells, boxes, cells) * other_area
    shared = (ours + theirs) / 2
    found = np.minimum(_share(shared, area + other_area - shared), 1.0)
    found[(boxes == other_boxes).all(axis=1) & (cells == other_cells).all(axis=(1, 2))] = 1.0
    return found


def _filling(cells: Array) -> Array:
    return cells.mean(axis=(1, 2))


def _within(boxes: Array, cells: Array, other_boxes: Array, other_cells: Array) -> Array:
    """Returns the share of the filled cells whose centers lie in filled cells of the other outline."""
    steps = (np.arange(CELLS) + 0.5) / CELLS
    columns = _cell_at(boxes[:, 0], boxes[:, 2], other_boxes[:, 0], other_boxes[:, 2], steps)
    rows = _cell_at(boxes[:, 1], boxes[:, 3], other_boxes[:, 1], other_boxes[:, 3], steps)
    hit = (columns >= 0)[:, None, :] & (rows >= 0)[:, :, None]
    which = np.arange(len(boxes))[:, None, None]
    hit &= other_cells[which, np.maximum(rows, 0)[:, :, None], np.maximum(columns, 0)[:, None, :]]
    return (hit & cells).sum(axis=(1, 2)) / cells.sum(axis=(1, 2))


def _cell_at(low: Array, high: Array, other_low: Array, other_high: Array, steps: Array) -> Array:
    """Returns, along one axis, the other outline's cell that each cell center falls into; -1 outside it."""
    places = low[:, None] + (high - low)[:, None] * steps[None, :]
    size = np.maximum(other_high - other_low, 1e-12)[:, None]
    found = np.floor((places - other_low[:, None]) / size * CELLS).clip(-1, CELLS).astype(int)
    return np.where((found >= 0) & (found < CELLS), found, -1)


def shared_pixels(one: Array, other: Array) -> int:
    """Returns the number of pixels that two lists of ranges share; each list is sorted and without overlaps."""
    if not len(one) or not len(other):
        return 0
    sizes = other[:, 1] - other[:, 0]
    edges, passed = other.ravel(), np.zeros(2 * len(other))
    passed[1::2] = np.cumsum(sizes)
    passed[2::2] = passed[1:-1:2]
    return int(np.interp(one[:, 1], edges, passed).sum() - np.interp(one[:, 0], edges, passed).sum() + 0.5)


def majority_stretches(stretches: Sequence[Array], weights: Sequence[float], quorum: float) -> Array:
    """Returns the ranges that are covered by lists whose weights add up to more than `quorum`.

    This is a vote on each pixel (or character), computed only where a range begins or ends.
    """
    edges = np.concatenate([each.ravel() for each in stretches]) if stretches else np.zeros(0, dtype=int)
    change = np.concatenate(
        [np.tile([weight, -weight], len(each)) for each, weight in zip(stretches, weights, strict=True)] or [edges]
    )
    order = np.argsort(edges, kind="stable")
    places, first = np.unique(edges[order], return_index=True)
    if not len(places):
        return np.zeros((0, 2), dtype=int)
    held = np.cumsum(np.add.reduceat(change[order], first))
    inside = np.concatenate(([0], (held > quorum + 1e-9).astype(int), [0]))
    turns = np.diff(inside)
    return np.column_stack([places[np.flatnonzero(turns[:-1] == 1)], places[np.flatnonzero(turns[:-1] == -1)]])
