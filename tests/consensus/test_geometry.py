"""Overlap of shapes and of time intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refonte_studio.consensus import geometry


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, dtype=float)


def test_boxes_are_alike_by_what_they_share_of_what_they_cover():
    one = boxes((0, 0, 10, 10), (0, 0, 10, 10), (0, 0, 10, 10), (5, 5, 5, 5))
    other = boxes((0, 0, 10, 10), (5, 0, 15, 10), (20, 0, 30, 10), (5, 5, 5, 5))
    assert geometry.overlaps(one, other).tolist() == pytest.approx([1, 1 / 3, 0, 1])


def test_times_are_alike_by_what_they_share_of_what_they_cover():
    assert geometry.common_time(boxes((0, 4, 0, 0)), boxes((2, 6, 0, 0))).tolist() == pytest.approx([1 / 3])
    assert geometry.common_time(boxes((0, 4, 0, 0)), boxes((5, 6, 0, 0))).tolist() == [0]


def test_points_at_the_distance_given_are_half_alike():
    assert geometry.nearness(np.array([0.0, 10.0, 30.0]), 10).tolist() == pytest.approx([1, 0.5, 2**-9])


def test_points_along_a_line_are_evenly_spaced_whatever_its_vertices():
    bent = geometry.spaced(boxes((0, 0, 0, 0), (1, 0, 0, 0), (15, 0, 0, 0))[:, :2])
    straight = geometry.spaced(boxes((0, 0, 0, 0), (15, 0, 0, 0))[:, :2])
    assert bent == pytest.approx(straight)
    assert straight[:, 0].tolist() == pytest.approx(range(geometry.STEPS))
    point = geometry.spaced(np.zeros((2, 2)))
    assert (point == 0).all()


def outline_overlap(one: np.ndarray, other: np.ndarray) -> float:
    features = [
        each for points in (one, other) for each in (geometry.around(points)[None], geometry.filled(points)[None])
    ]
    return float(geometry.outline_overlaps(*features)[0])


@settings(max_examples=80, deadline=None)
@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(20, 60), st.floats(20, 60))
def test_of_rectangles_outlines_give_what_boxes_give(left, top, width, height):
    edges = boxes((0, 0, 40, 40), (left, top, left + width, top + height))
    outlines = [np.array([(a, b), (c, b), (c, d), (a, d)]) for a, b, c, d in edges.tolist()]
    exact = float(geometry.overlaps(edges[:1], edges[1:])[0])
    assert outline_overlap(*outlines) == pytest.approx(exact, abs=0.06)
    assert outline_overlap(*outlines) == pytest.approx(outline_overlap(*outlines[::-1]))


def test_outlines_with_holes_and_without_an_inside():
    ring = np.array(
        [(0, 0), (40, 0), (40, 40), (0, 40), (0, 0), (10, 10), (10, 30), (30, 30), (30, 10), (10, 10)], float
    )
    assert geometry.filled(ring).mean() == pytest.approx(0.75, abs=0.02)
    flat = np.array([(0, 0), (10, 0), (20, 0)], float)
    assert geometry.filled(flat).all()
    assert outline_overlap(flat, flat) == 1.0


def test_the_inside_of_an_ellipse_is_what_the_formula_says():
    assert geometry.filled(geometry.ellipse(5, 5, 30, 10, 0)).mean() == pytest.approx(np.pi / 4, abs=0.02)


stretches = st.lists(st.integers(0, 40), max_size=12, unique=True).map(
    lambda edges: np.array(sorted(edges)[: len(edges) // 2 * 2], dtype=int).reshape(-1, 2)
)


def pixels(runs: np.ndarray) -> set[int]:
    return {pixel for start, end in runs.tolist() for pixel in range(start, end)}


@settings(max_examples=80, deadline=None)
@given(one=stretches, other=stretches)
def test_shared_pixels_are_those_in_both(one, other):
    assert geometry.shared_pixels(one, other) == len(pixels(one) & pixels(other))


@settings(max_examples=80, deadline=None)
@given(runs=st.lists(stretches, min_size=1, max_size=5), data=st.data())
def test_every_pixel_is_voted_on(runs, data):
    weights = data.draw(st.lists(st.sampled_from([0.25, 0.5, 1.0]), min_size=len(runs), max_size=len(runs)))
    half = sum(weights) / 2
    found = geometry.majority_stretches(runs, weights, half)
    votes = {at: sum(w for w, each in zip(weights, runs, strict=True) if at in pixels(each)) for at in range(41)}
    assert pixels(found) == {pixel for pixel, weight in votes.items() if weight > half}
    assert (np.diff(found.ravel()) > 0).all()  # in order and apart
