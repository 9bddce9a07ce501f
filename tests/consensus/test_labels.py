"""Aggregation of several labels into one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refonte_studio.consensus import labels as by_name
from refonte_studio.consensus.answers import Answers
from refonte_studio.consensus.calibration import expected_calibration_error
from refonte_studio.consensus.labels import DEFAULT, METHODS, estimate
from tests.consensus.simulated_annotators import simulate_answers


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 999), draw=st.randoms(use_true_random=False))
def test_labels_renamed_and_people_reordered_give_the_same(method: str, seed: int, draw):
    answers, _ = simulate_answers(seed, tasks=12, people=6, each=3)
    names, people = draw.sample(range(3), 3), draw.sample(range(6), 6)
    other = Answers(answers.tasks, np.array(people)[answers.people], np.array(names)[answers.labels], 12, 6, 3)
    before, after = estimate(method, answers), estimate(method, other)
    assert before.probabilities is not None
    assert after.probabilities is not None
    assert np.allclose(after.probabilities[:, names], before.probabilities, atol=1e-3)
    top = np.sort(before.probabilities, axis=1)
    clear = top[:, -1] - top[:, -2] > 1e-2
    assert np.allclose(after.confidence[clear], before.confidence[clear], atol=1e-3)
    for number, name in enumerate(people):
        assert after.people[name].accuracy == pytest.approx(before.people[number].accuracy, abs=1e-3)


@pytest.mark.parametrize(
    "world",
    [
        {"tasks": 100, "people": 40, "each": 3, "labels": 2, "right": (0.6, 0.9)},  # each person is hardly known
        {"tasks": 20, "people": 5, "each": 3},
        {"tasks": 120, "people": 10, "each": 3, "labels": 50},
        {"tasks": 150, "people": 12, "each": 5, "spammers": 6},
        {"tasks": 150, "people": 15, "each": 5, "hard": 0.3},
    ],
    ids=["strangers", "tiny", "50 labels", "spammers", "hard tasks"],
)
def test_the_default_is_no_worse_than_the_majority(world):
    default, majority = [], []
    for seed in range(12):
        answers, truth = simulate_answers(seed, **world)
        default.append((estimate(DEFAULT, answers).labels == truth).mean())
        majority.append((estimate("majority", answers).labels == truth).mean())
    assert np.mean(default) > np.mean(majority) - 0.02


def test_spammers_are_seen_through():
    answers, truth = simulate_answers(1, tasks=300, people=16, each=6, spammers=8, right=(0.75, 0.95))
    right = {method: (estimate(method, answers).labels == truth).mean() for method in (DEFAULT, "majority")}
    assert right[DEFAULT] > right["majority"] + 0.05


def test_a_tie_goes_to_the_label_that_comes_first():
    answers = Answers(np.array([0, 0]), np.array([0, 1]), np.array([2, 1]), 1, 2, 3)
    assert [estimate(method, answers).labels[0] for method in METHODS] == [1] * len(METHODS)


def test_a_task_without_answers_has_no_label_unless_it_is_known():
    answers = Answers(np.array([0]), np.array([0]), np.array([1]), 3, 1, 2)
    found = estimate(DEFAULT, answers, gold={2: 1})
    assert found.labels.tolist() == [1, -1, 1]
    assert found.confidence[1:].tolist() == [0.0, 1.0]


def test_known_labels_show_whom_not_to_believe():
    """Three of four always say 0; that the fourth is right only the known labels can tell."""
    tasks, people = np.repeat(np.arange(30), 4), np.tile(np.arange(4), 30)
    said = np.where(people == 3, tasks % 2, 0)
    answers = Answers(tasks, people, said, 30, 4, 2)
    found = estimate(DEFAULT, answers, gold={task: task % 2 for task in range(20)})
    assert found.labels.tolist() == [task % 2 for task in range(30)]
    assert found.people[3].accuracy > found.people[0].accuracy + 0.2


def test_confidence_is_what_comes_true_where_people_err_together():
    answers, truth = simulate_answers(5, tasks=1500, people=40, each=8, right=(0.6, 0.9), hard=0.2)
    found = estimate(DEFAULT, answers)
    assert expected_calibration_error(found.confidence, found.labels == truth) < 0.06
    sure = found.confidence > 0.9
    assert (found.labels == truth)[sure].mean() > 0.87


def test_known_labels_say_how_sure_one_may_be():
    """Where nobody errs with another, a few known labels let confidence rise above what is usual."""
    answers, truth = simulate_answers(6, tasks=600, people=30, each=7, right=(0.7, 0.8))
    blind = estimate(DEFAULT, answers)
    shown = estimate(DEFAULT, answers, gold={task: int(truth[task]) for task in range(200)})
    assert shown.model.correlation < blind.model.correlation
    errors = [expected_calibration_error(e.confidence[200:], (e.labels == truth)[200:]) for e in (blind, shown)]
    assert errors[1] < errors[0]


def test_with_more_labels_than_fit_into_memory_votes_are_counted(monkeypatch):
    answers, _ = simulate_answers(7, tasks=50, people=10, each=3)
    expected = estimate("majority", answers).labels
    monkeypatch.setattr(by_name, "CELLS", 100)
    found = estimate(DEFAULT, answers)
    assert found.labels.tolist() == expected.tolist()
    assert found.probabilities is None
    assert ((found.confidence > 0) & (found.confidence < 1)).all()


def test_a_method_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no method 'dice'; there are shrunk_dawid_skene"):
        estimate("dice", simulate_answers(0, 2, 2, 2)[0])
