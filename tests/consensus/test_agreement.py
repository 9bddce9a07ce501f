"""Agreement between annotators."""

import numpy as np
import pytest

from refonte_studio.consensus.adaptive import StoppingRules, replay
from refonte_studio.consensus.agreement import alpha, alpha_by_distance, task_agreement, together, wilson
from refonte_studio.consensus.answers import Answers
from refonte_studio.consensus.asking import USUAL_TARGET, usual_least, wants_more
from refonte_studio.consensus.labels import DEFAULT, estimate
from tests.consensus.simulated_annotators import simulate_answers

# Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, section C: four observers, twelve units
OBSERVERS = ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."]
GIVEN = np.array(
    [
        (unit, observer, int(value) - 1)
        for observer, values in enumerate(OBSERVERS)
        for unit, value in enumerate(values.split())
        if value != "."
    ]
)
PUBLISHED = Answers(*GIVEN.T, 12, 4, 5)
VALUES = np.arange(1.0, 6.0)


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_is_as_published(level: str, published: float):
    assert alpha(PUBLISHED, level, VALUES) == pytest.approx(published, abs=5e-4)


def test_alpha_of_any_distance_comes_near_what_it_is_for_labels():
    answers, _ = simulate_answers(2, tasks=1500, people=10, each=4)
    drawn = alpha_by_distance(answers.tasks, lambda i, j: float(answers.labels[i] != answers.labels[j]), seed=1)
    assert drawn == pytest.approx(alpha(answers), abs=0.03)


def test_where_nothing_can_be_compared_there_is_no_alpha():
    alone = Answers(np.array([0, 1]), np.array([0, 1]), np.array([0, 1]), 2, 2, 2)
    alike = Answers(np.array([0, 0]), np.array([0, 1]), np.array([1, 1]), 1, 2, 2)
    assert alpha(alone) is None
    assert alpha_by_distance(alone.tasks, lambda i, j: 1.0, seed=0) is None
    assert alpha(alike) is None


def test_agreement_is_told_by_task_and_by_pair_of_people():
    said = {(0, 0): 1, (0, 1): 1, (0, 2): 2, (1, 0): 0, (1, 1): 0, (2, 2): 1}
    tasks, people = np.array(list(said)).T
    answers = Answers(tasks, people, np.array(list(said.values())), 3, 3, 3)
    assert np.allclose(task_agreement(answers), [1 / 3, 1.0, np.nan], equal_nan=True)
    assert [(t.one, t.other, t.both, t.alike) for t in together(answers)] == [(0, 1, 2, 2), (0, 2, 1, 0), (1, 2, 1, 0)]


def test_the_interval_of_wilson():
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_asking_goes_on_while_the_answer_is_not_clear():
    asked = [wants_more(sure, n, least=2, most=5, target=0.9) for sure, n in ((1.0, 1), (0.8, 2), (0.9, 2), (0.5, 5))]
    assert asked == [True, True, False, False]


def test_a_third_is_asked_for_in_any_case():
    assert [usual_least(most) for most in (1, 2, 3, 6, 7, 15)] == [1, 2, 2, 2, 3, 5]


def test_asking_on_only_where_needed_saves_answers():
    answers, truth = simulate_answers(8, tasks=300, people=20, each=10, right=(0.75, 0.95))
    played = replay(
        answers, np.random.default_rng(0).permutation(len(answers)), StoppingRules(usual_least(10), 10, USUAL_TARGET)
    )
    everything = (estimate(DEFAULT, answers).labels == truth).mean()
    assert played.share < 0.6
    assert (played.final.labels == truth).mean() > everything - 0.03
    assert (played.at_once == truth).mean() > everything - 0.05
