"""The median of several attempts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refonte_studio.consensus.medians import agreement, believed, medoid, support, weighted_median

weighed = st.lists(st.tuples(st.integers(-20, 20), st.sampled_from([0.2, 0.5, 1.0])), min_size=1, max_size=9)


def test_a_median_is_not_moved_by_the_few_who_are_far_off():
    assert weighted_median([5, 4, 1_000_000], [1, 1, 1]) == 5
    assert weighted_median([1, 2], [1, 1]) == 1.5
    assert weighted_median([1, 2, 9], [0.2, 1.0, 0.2]) == 2
    assert weighted_median([1, 2, 9], [1.0, 0.0, 1.0]) == 5


@settings(max_examples=80, deadline=None)
@given(weighed)
def test_no_other_number_is_nearer_to_all(said):
    values, weights = [value for value, _ in said], [weight for _, weight in said]
    found = weighted_median(values, weights)

    def distance(number: float) -> float:
        return sum(weight * abs(value - number) for value, weight in said)

    assert distance(found) <= min(map(distance, values)) + 1e-9
    assert weighted_median([*values, found], [*weights, 1.0]) == found


def test_nobody_believed_is_everybody_alike():
    assert believed([0, 0]) == [1.0, 1.0]
    assert believed([0, 0.5]) == [0.0, 0.5]


def test_support_grows_with_those_who_agree():
    alone, three, fifteen = (support([1.0] * many, [1.0] * many) for many in (1, 3, 15))
    assert (alone, three) == (0.75, 0.875)
    assert three < fifteen < 1
    assert support([1.0, 0.5], [1.0, 0.0]) == pytest.approx(1.5 / 2.5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8), st.floats(0, 1))
def test_one_more_who_agrees_never_lowers_support(attempts, weight):
    weights, alike = [w for w, _ in attempts], [a for _, a in attempts]
    assert support([*weights, weight], [*alike, 1.0]) >= support(weights, alike) - 1e-12


def test_the_medoid_is_like_the_others_and_agreement_is_the_mean():
    def near(one: float, other: float) -> float:
        return 1 / (1 + abs(one - other))

    assert medoid([9, 1, 2, 3], [1, 1, 1, 1], near) == 2
    assert medoid([1, 1], [1, 1], near) == 0
    assert agreement([1, 1, 2], near) == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert agreement([1], near) == 1.0
