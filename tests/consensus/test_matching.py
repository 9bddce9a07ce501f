"""Optimal matching of the objects of two responses."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refonte_studio.consensus import matching
from refonte_studio.consensus.matching import assigned, neighbours


def every_pair(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    return np.divmod(np.arange(rows * columns), columns)


def test_the_best_whole_is_not_always_made_of_the_best_pair():
    rows, columns = every_pair(2, 2)
    assert assigned(rows, columns, np.array([0.9, 0.8, 0.8, 0.1])) == [1, 2]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), rows=st.integers(1, 4), columns=st.integers(1, 4))
def test_no_other_assignment_is_worth_more(data, rows, columns):
    worth = data.draw(st.lists(st.integers(0, 9), min_size=rows * columns, max_size=rows * columns))
    pairs = every_pair(rows, columns)
    table = np.array(worth, dtype=float).reshape(rows, columns)
    found = assigned(*pairs, table.ravel())
    assert len(set(pairs[0][found])) == len(set(pairs[1][found])) == len(found)
    few, many = (table, columns) if rows <= columns else (table.T, rows)
    best = max(sum(few[i, j] for i, j in enumerate(order)) for order in permutations(range(many), len(few)))
    assert table.ravel()[found].sum() == best


def test_pairs_that_have_nothing_to_do_with_each_other_are_assigned_apart():
    rows, columns = np.array([0, 1, 1, 2]), np.array([5, 6, 7, 7])
    assert assigned(rows, columns, np.array([0.5, 0.6, 0.9, 0.7])) == [0, 1, 3]
    assert assigned(rows[:0], columns[:0], np.zeros(0)) == []


def test_a_crowd_is_taken_best_pair_first(monkeypatch):
    monkeypatch.setattr(matching, "MAX_HUNGARIAN", 1)
    rows, columns = every_pair(2, 2)
    assert assigned(rows, columns, np.array([0.9, 0.8, 0.8, 0.1])) == [0, 3]


def test_few_objects_are_all_looked_at():
    rows, columns = neighbours(np.zeros((3, 2)), np.ones((2, 2)))
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(i, j) for i in range(3) for j in range(2)]


@pytest.mark.parametrize("size", [1_000, 5_000])
def test_of_many_objects_a_bounded_number_is_looked_at_and_what_is_near_is_among_them(size: int):
    places = np.random.default_rng(5).uniform(0, 10_000, (size, 2))
    rows, columns = neighbours(places, places + 0.01)
    assert len(rows) <= 24 * size
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True)) & {(i, i) for i in range(size)}) == size
    there, back = neighbours(places, places[::-1] + 5), neighbours(places[::-1] + 5, places)
    assert set(zip(*there, strict=True)) == set(zip(*back[::-1], strict=True))
    heap = np.zeros((size, 2))  # all in the same place
    assert len(neighbours(heap, heap)[0]) <= 24 * size
