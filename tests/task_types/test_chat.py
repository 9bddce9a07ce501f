"""Conversations with language models: what may be asked about them, and aggregation of responses."""

import itertools
from typing import Any

import numpy as np
import pytest

from refonte_studio.consensus.judges import Plain
from refonte_studio.consensus.ranking import bradley_terry, tied
from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types import TYPES

CHAT = TYPES["chat"]
MESSAGES = [{"role": "user", "content": "Where is my parcel?"}, {"role": "assistant", "content": "Which one?"}]
ALL = CHAT.example_params
SAID = CHAT.example_response
TWO = {"messages": MESSAGES, "candidates": [{"id": "x", "content": "1"}, {"id": "y", "content": "2"}]}
RATED = {"messages": MESSAGES, "criteria": {"help": {"min": 0, "max": 10}}}
LABELED = {"messages": MESSAGES, "turn_labels": ["polite", "wrong"]}


def refusal(action: Any, *args: Any) -> str:
    with pytest.raises(BadInput) as refused:
        action(*args)
    return refused.value.message


def checked(params: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    CHAT.check_params(params)
    return CHAT.check_response(params, response)


def ranked(*rankings: list[Any], weights: list[float] | None = None) -> list[list[str]]:
    """What several rankings of three candidates give."""
    params = {"messages": MESSAGES, "candidates": [{"id": each, "content": each} for each in "abc"]}
    responses = [checked(params, {"ranking": each}) for each in rankings]
    return CHAT.combine(params, responses)["ranking"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"messages": []}, "messages: needs at least 1 item"),
        ({"messages": [{"role": "robot", "content": "?"}]}, "messages[0].role: 'robot' is not one of 'system'"),
        ({"messages": [{"role": "user"}]}, "messages[0].content: is required"),
        ({"candidates": [{"id": "x", "content": "1"}]}, "candidates: needs at least 2 items, has 1"),
        ({"candidates": [{"id": str(i), "content": "1"} for i in range(9)]}, "at most 8 are allowed"),
        ({"candidates": [{"id": "x", "content": "1"}] * 2}, "candidates[1].id: 'x' is used twice"),
        (
            {"candidates": [{"id": "x", "content": "1"}, {"id": "conversation", "content": "1"}]},
            "candidates[1].id: 'conversation' stands for the conversation as a whole",
        ),
        (
            {"candidates": [{"id": "x", "content": "1"}, {"id": "Large-1 b", "content": "1", "model": "large-1"}]},
            "candidates[1].id: 'Large-1 b' holds the name of the model",
        ),
        ({"criteria": {"help": {"min": 5, "max": 5}}}, "criteria.help.max: 5 is not more than min"),
        ({"criteria": {"help": {"scale": 5}}}, "criteria.help.scale: is not a field here"),
        ({"turn_labels": "polite"}, "turn_labels: 'polite' is not an array"),
        ({"rewrite": "yes"}, "rewrite: 'yes' is not true or false"),
    ],
)
def test_parameters_that_do_not_fit_are_named(change, told):
    assert told in refusal(CHAT.check_params, {**TWO, **change})


def test_something_is_asked_about_the_conversation():
    assert "candidates: is required (or criteria or turn_labels or fields or rewrite)" in refusal(
        CHAT.check_params, {"messages": MESSAGES, "rewrite": False}
    )


def test_a_response_has_every_part_that_is_asked_for_and_no_other():
    for part in SAID:
        without = {name: value for name, value in SAID.items() if name != part}
        assert refusal(checked, ALL, without) == f"response.{part}: is required"
    assert "response.rewrite: is not a field here" in refusal(checked, TWO, {"ranking": ["x", "y"], "rewrite": "!"})


@pytest.mark.parametrize(
    ("ranking", "told"),
    [
        ([["x"]], "response.ranking: leaves out 'y'"),
        ([["x"], ["y", "x"]], "response.ranking[1]: 'x' is ranked twice"),
        ([["x"], ["z"]], "response.ranking[1]: 'z' is not one of 'x', 'y'"),
        ([["x"], [["y"]]], "response.ranking[1]: an array is not one of"),
    ],
)
def test_a_ranking_holds_every_candidate_once(ranking, told):
    assert told in refusal(checked, TWO, {"ranking": ranking})


def test_a_bare_id_has_a_place_for_itself_and_the_order_within_a_place_says_nothing():
    assert checked(TWO, {"ranking": ["y", "x"]}) == {"ranking": [["y"], ["x"]]}
    assert checked(TWO, {"ranking": [["y", "x"]]}) == {"ranking": [["x", "y"]]}


@pytest.mark.parametrize(
    ("ratings", "told"),
    [
        ({}, "response.ratings.conversation: is required"),
        ({"conversation": {}}, "response.ratings.conversation.help: is required"),
        ({"conversation": {"help": 11}}, "response.ratings.conversation.help: 11 is more than 10"),
        ({"conversation": {"help": 1}, "x": {"help": 1}}, "response.ratings.x: is not rated here"),
    ],
)
def test_everything_is_rated_on_its_scale(ratings, told):
    assert told in refusal(checked, RATED, {"ratings": ratings})


@pytest.mark.parametrize(
    ("turns", "told"),
    [
        ([{"turn": 2, "labels": ["polite"]}], "turns[0].turn: 2 is more than 1"),
        ([{"turn": 0, "labels": ["rude"]}], "turns[0].labels[0]: 'rude' is not one of 'polite', 'wrong'"),
        ([{"turn": 0, "labels": []}], "turns[0]: has neither a label nor a comment"),
        ([{"turn": 0, "labels": ["wrong"]}] * 2, "turns[1].turn: 0 is labeled twice"),
    ],
)
def test_turns_are_labeled_once_with_labels_of_the_task(turns, told):
    assert told in refusal(checked, LABELED, {"turns": turns})
    assert checked(LABELED, {"turns": []}) == {"turns": []}


def test_a_ranking_that_most_give_stands_and_else_the_strongest_come_first():
    assert ranked(["a", "b", "c"], ["a", "b", "c"], ["c", "b", "a"]) == [["a"], ["b"], ["c"]]
    assert ranked(["a", "b", "c"], ["b", "a", "c"], ["b", "c", "a"]) == [["b"], ["a"], ["c"]]
    assert ranked(["a", "b", "c"], ["c", "b", "a"]) == [["a", "b", "c"]]
    assert ranked([["a", "b"], "c"], ["a", "b", "c"], ["b", "a", "c"]) == [["a", "b"], ["c"]]


def test_strengths_are_those_that_make_the_rankings_likeliest():
    rankings = [[["a"], ["b"], ["c"]], [["b"], ["a", "c"]], [["a"], ["c"], ["b"]], [["c"], ["a"], ["b"]]]
    wins = np.full((3, 3), 0.05) - 0.05 * np.eye(3)
    for ranking, (one, other) in itertools.product(rankings, itertools.permutations("abc", 2)):
        places = {item: index for index, place in enumerate(ranking) for item in place}
        won = 0.5 if places[one] == places[other] else float(places[one] < places[other])
        wins["abc".index(one), "abc".index(other)] += won

    def likely(strengths: Any) -> float:
        return sum(
            wins[i, j] * np.log(strengths[i] / (strengths[i] + strengths[j]))
            for i, j in itertools.permutations(range(3), 2)
        )

    grid = np.linspace(0.02, 0.98, 97)
    tried = [(p, q, 1 - p - q) for p in grid for q in grid if p + q < 0.99]
    best = max(tried, key=likely)
    found = bradley_terry(wins)
    assert likely(found) >= likely(best)
    assert found == pytest.approx(best, abs=0.02)
    order = sorted("abc", key=lambda each: -best["abc".index(each)])
    assert tied(rankings, [1.0] * 4) == [[each] for each in order]


def test_rankings_are_alike_by_the_pairs_that_they_order_alike():
    params = {"messages": MESSAGES, "candidates": [{"id": each, "content": each} for each in "abc"]}

    def alike(one: list[Any], other: list[Any]) -> float:
        return CHAT.similarity(params, *(checked(params, {"ranking": each}) for each in (one, other)))

    assert alike(["a", "b", "c"], ["c", "b", "a"]) == 0
    assert alike(["a", "b", "c"], ["a", "c", "b"]) == pytest.approx(2 / 3)
    assert alike(["a", "b", "c"], [["a", "b"], "c"]) == pytest.approx(5 / 6)
    assert alike([["a", "b", "c"]], [["a", "b", "c"]]) == 1


def test_a_rating_far_off_does_not_move_the_median():
    responses = [checked(RATED, {"ratings": {"conversation": {"help": each}}}) for each in (7, 8, 0)]
    assert CHAT.combine(RATED, responses) == {"ratings": {"conversation": {"help": 7}}}


def test_labels_of_a_turn_are_voted_on_one_by_one():
    said = [
        [{"turn": 1, "labels": ["polite", "wrong"], "comment": "Not asked."}],
        [{"turn": 1, "labels": ["wrong"], "comment": "Not asked"}],
        [{"turn": 0, "labels": ["polite"]}, {"turn": 1, "labels": ["wrong"]}],
    ]
    outcome = CHAT.consensus(LABELED, [checked(LABELED, {"turns": each}) for each in said], Plain(3))
    assert outcome.response == {"turns": [{"turn": 1, "labels": ["wrong"], "comment": "Not asked."}]}


def test_people_see_the_candidates_in_an_order_of_their_own_and_no_model():
    seen = [[each["id"] for each in CHAT.params_for_labeler(ALL, f"person {i}/task")["candidates"]] for i in range(200)]
    assert {tuple(each) for each in seen} == set(itertools.permutations(["k7", "q2", "m4"]))
    firsts = [each[0] for each in seen]
    assert all(40 < firsts.count(each) < 95 for each in ("k7", "q2", "m4"))
    assert "model" not in str(CHAT.params_for_labeler(ALL, "person/task")["candidates"])
    turned = {**ALL, "candidates": ALL["candidates"][::-1]}
    assert CHAT.params_for_labeler(turned, "person/task") == CHAT.params_for_labeler(ALL, "person/task")


def test_nothing_that_a_response_says_depends_on_the_order_of_the_candidates():
    turned = {**ALL, "candidates": ALL["candidates"][::-1]}
    for response in (SAID, {**SAID, "ranking": [["m4", "q2", "k7"]]}):
        assert str(checked(ALL, response)) == str(checked(turned, response))
    wrong = {**SAID, "ranking": [["other"]]}
    assert refusal(checked, ALL, wrong) == refusal(checked, turned, wrong)
    assert CHAT.sample_response(ALL) == CHAT.sample_response(turned)


def test_answers_to_tasks_with_other_candidates_are_compared_by_what_both_have():
    """A project's agreement compares answers across its tasks."""
    chat = TYPES["chat"]
    params = {"messages": [{"role": "user", "content": "?"}], "candidates": [{"id": i, "content": i} for i in "abcd"]}
    whole = {"ranking": [["a"], ["b"], ["c"], ["d"]]}
    assert chat.similarity(params, whole, {"ranking": [["a"], ["b"], ["c"]]}) == 1.0
    assert chat.similarity(params, whole, {"ranking": [["x"], ["y"]]}) == 0.5
    assert chat.similarity(params, whole, {"rewrite": "Better."}) == 0.0
