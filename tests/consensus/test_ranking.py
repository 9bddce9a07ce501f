"""Strengths and rankings from comparisons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refonte_studio.consensus.ranking import bradley_terry, concordance, ranked

# The seven teams of the Eastern Division of the American League in 1987, who won how often against whom, and the
# published fit relative to Baltimore: Agresti, Categorical Data Analysis (2002), section 10.6.
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WINS = [
    [0, 7, 9, 7, 7, 9, 11],
    [6, 0, 7, 5, 11, 9, 9],
    [4, 6, 0, 7, 7, 8, 12],
    [6, 8, 6, 0, 6, 7, 10],
    [6, 2, 6, 7, 0, 7, 12],
    [4, 4, 5, 6, 6, 0, 6],
    [2, 4, 1, 3, 1, 7, 0],
]
PUBLISHED = [1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.0]


def test_strengths_are_those_published():
    strengths = np.log(bradley_terry(WINS))
    assert (strengths - strengths[-1]).round(2).tolist() == pytest.approx(PUBLISHED, abs=0.011)


def test_strengths_of_two_are_their_shares_of_the_games():
    assert bradley_terry([[0, 3], [1, 0]]) == pytest.approx([0.75, 0.25])
    assert bradley_terry([[0]]) == [1.0]
    assert bradley_terry([[0, 0], [0, 0]], prior=0.1) == pytest.approx([0.5, 0.5])


def test_who_always_wins_is_strongest_and_the_rounds_end():
    strengths = bradley_terry([[0, 3, 3], [0, 0, 3], [0, 0, 0]], prior=0.1)
    assert strengths[0] > strengths[1] > strengths[2] > 0
    assert sum(bradley_terry([[0, 3], [0, 0]])) == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(1, 9), min_size=4, max_size=4), min_size=4, max_size=4), st.permutations(range(4)))
def test_items_that_change_places_take_their_strengths_along(wins, order):
    games = np.array(wins) * (1 - np.eye(4))
    strengths = np.array(bradley_terry(games))
    assert bradley_terry(games[np.ix_(order, order)]) == pytest.approx(strengths[list(order)], abs=1e-6)


def test_one_order_is_the_result_itself_and_several_give_the_strongest_first():
    assert ranked(["cab"], [1]) == list("cab")
    assert ranked(["abcd", "abdc", "bacd"], [1, 1, 1]) == list("abcd")
    assert ranked(["abc", "cba"], [0.2, 1.0]) == list("cba")
    assert ranked(["abc", "cba"], [1, 1]) == list("abc")  # a tie goes to the first


@settings(max_examples=40, deadline=None)
@given(st.lists(st.permutations("abcde"), min_size=1, max_size=5))
def test_one_more_who_agrees_changes_nothing(orders):
    result = ranked(orders, [1] * len(orders))
    assert sorted(result) == list("abcde")
    assert ranked([*orders, result], [1] * (len(orders) + 1)) == result


def test_orders_are_alike_by_the_pairs_they_agree_on():
    assert concordance("abc", "abc") == 1.0
    assert concordance("abc", "cba") == 0.0
    assert concordance("abc", "acb") == pytest.approx(2 / 3)
    assert concordance("a", "a") == 1.0
