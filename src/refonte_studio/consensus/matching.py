"""Matches the objects of one attempt with those of another."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Pairs = tuple[Array, Array]

# Up to this many pairs of two attempts' objects are all compared; beyond it, only pairs that lie close together.
MAX_PAIRS = 40_000
_NEAREST = 12  # neighbours compared on each side along a curve through the plane
# The largest group of mutual candidates that is assigned optimally; a larger one is assigned greedily.
MAX_HUNGARIAN = 300


def neighbours(one: Array, other: Array) -> Pairs:
    """Returns the indexes of the pairs worth comparing; `one` and `other` are the objects' centers, rows (x, y).

    Of few objects, all pairs. Of many, each object with a bounded number of its neighbours along a space-filling curve
    (Morton 1966).
    """
    if len(one) * len(other) <= MAX_PAIRS:
        rows, columns = np.divmod(np.arange(len(one) * len(other)), max(1, len(other)))
        return rows, columns
    if (len(one), one.tobytes()) > (
        len(other),
        other.tobytes(),
    ):  # makes the pairs independent of the order of the arguments
        columns, rows = neighbours(other, one)
        return rows, columns
    low = np.minimum(one.min(axis=0), other.min(axis=0))
    high = np.maximum(one.max(axis=0), other.max(axis=0))
    scale = 65_535 / np.maximum(high - low, 1e-9)
    mine, theirs = _curve((one - low) * scale), _curve((other - low) * scale)
    order = np.argsort(theirs, kind="stable")
    found = np.searchsorted(theirs[order], mine)
    window = found[:, None] + np.arange(-_NEAREST, _NEAREST)[None, :]
    inside = (window >= 0) & (window < len(other))
    rows = np.broadcast_to(np.arange(len(one))[:, None], window.shape)[inside]
    return rows, order[window[inside]]


def _curve(places: Array) -> Array:
    """Returns the position of points (0 to 65,535 per axis) along the curve: the interleaved bits of x and y."""
    bits = places.astype(np.uint64)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
    return bits[:, 0] | (bits[:, 1] << np.uint64(1))


def assigned(rows: Array, columns: Array, worth: Array) -> list[int]:
    """Returns the indexes of the pairs with the greatest total worth that use each row and column at most once.

    Solves the assignment problem separately for each connected group of pairs, with Kuhn's (1955) Hungarian method as
    scipy implements it (Crouse 2016). A group too large for that is assigned greedily, best pair first.
    """
    if not len(rows):
        return []
    alone = (np.bincount(rows)[rows] == 1) & (np.bincount(columns)[columns] == 1)
    found = np.flatnonzero(alone).tolist()
    contested = np.flatnonzero(~alone)
    if len(contested):
        for group in _groups(rows[contested], columns[contested]):
            found += _assigned(rows, columns, worth, contested[group])
    return sorted(found)


def _groups(rows: Array, columns: Array) -> Sequence[Array]:
    """Returns the connected groups of pairs: pairs that share a row or a column are in the same group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first = int(rows.max()) + 1
    count = first + int(columns.max()) + 1
    graph = coo_array((np.ones(len(rows)), (rows, columns + first)), shape=(count, count))
    _, names = connected_components(graph, directed=False)
    name = names[rows]
    order = np.argsort(name, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(name[order])) + 1)


def _assigned(rows: Array, columns: Array, worth: Array, pairs: Array) -> list[int]:
    mine, row = np.unique(rows[pairs], return_inverse=True)
    theirs, column = np.unique(columns[pairs], return_inverse=True)
    if max(len(mine), len(theirs)) > MAX_HUNGARIAN:
        return _greedy(rows, columns, worth, pairs)
    from scipy.optimize import linear_sum_assignment

    table, place = np.zeros((len(mine), len(theirs))), np.full((len(mine), len(theirs)), -1)
    table[row, column] = worth[pairs]
    place[row, column] = pairs
    chosen = place[linear_sum_assignment(table, maximize=True)]
    return chosen[chosen >= 0].tolist()


def _greedy(rows: Array, columns: Array, worth: Array, pairs: Array) -> list[int]:
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    found: list[int] = []
    for pair in pairs[np.argsort(-worth[pairs], kind="stable")].tolist():
        row, column = int(rows[pair]), int(columns[pair])
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            found.append(pair)
    return found
