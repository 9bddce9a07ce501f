"""One task is decided alone, from the models of its annotators."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refonte_studio.consensus.judges import Informed, PersonModel, Plain, QuestionModel
from refonte_studio.consensus.labels import DEFAULT, Estimate, estimate
from tests.consensus.simulated_annotators import simulate_answers

NAMES = ["cat", "dog", "owl"]


def judge(found: Estimate, people: list[int | None]) -> Informed:
    models = {"animal": found.model}
    return Informed(models, [None if person is None else {"animal": found.people[person]} for person in people])


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_one_more_agreeing_attempt_never_lowers_confidence(data):
    """Whoever agrees: also people who are worse than chance, or who name this label rather where another is right."""
    share = st.floats(0, 1)
    counts = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 50), max_size=3)
    confusion = st.dictionaries(st.sampled_from(NAMES), counts, max_size=3)
    person = st.one_of(st.none(), st.builds(PersonModel, share, st.integers(0, 99), confusion))
    found = st.lists(st.floats(0, 500), min_size=3, max_size=3)
    question = QuestionModel(NAMES, data.draw(found), data.draw(share), 2.0, data.draw(st.floats(0.05, 5)))
    models = data.draw(st.lists(person, min_size=2, max_size=8))
    said = data.draw(st.lists(st.sampled_from([*NAMES, "new"]), min_size=len(models) - 1, max_size=len(models) - 1))
    informed = Informed({"animal": question}, [model and {"animal": model} for model in models])
    choices = data.draw(st.sampled_from([None, 3, 10]))
    before = informed.decide("animal", [*said, None], choices)
    after = informed.decide("animal", [*said, before.label], choices)
    assert after.label == before.label
    assert after.confidence >= before.confidence - 1e-12


def test_the_stored_models_decide_as_the_estimate_of_all_answers_does():
    answers, _ = simulate_answers(3, tasks=200, people=12, each=5, spammers=3)
    found = estimate(DEFAULT, answers, NAMES)
    stored = msgspec.json.decode(msgspec.json.encode(found.people), type=list[PersonModel])
    question = msgspec.json.decode(msgspec.json.encode(found.model), type=QuestionModel)
    same, apart = [], []
    for task in range(200):
        places = np.flatnonzero(answers.tasks == task)
        people = [{"animal": stored[person]} for person in answers.people[places]]
        said = [NAMES[label] for label in answers.labels[places]]
        decision = Informed({"animal": question}, people).decide("animal", said, 3)
        same.append(decision.label == NAMES[found.labels[task]])
        apart.append(abs(decision.confidence - found.confidence[task]))
    assert np.mean(same) > 0.97
    assert np.mean(apart) < 0.02


def test_votes_without_models_count_alike_and_more_of_them_say_more():
    decisions = [Plain(n).decide("animal", ["owl"] * n, 3) for n in (1, 2, 3, 5)]
    assert {decision.label for decision in decisions} == {"owl"}
    sure = [decision.confidence for decision in decisions]
    assert sure == sorted(sure)
    assert 0.5 < sure[0] < 0.8
    assert 0.9 < sure[-1] < 0.98
    split = Plain(3).decide("animal", ["cat", "owl", "owl"], 3)
    assert (split.label, split.confidence < sure[0]) == ("owl", True)


def test_a_tie_goes_to_the_label_that_comes_first():
    question = QuestionModel(["b", "a"], [1.0, 1.0])
    assert Informed({"q": question}, [None, None]).decide("q", ["a", "b"], None).label == "b"
    assert Plain(2).decide("q", ["a", "b"], None).label == "a"


def test_a_label_nobody_knew_and_a_person_nobody_knew_are_judged_too():
    answers, _ = simulate_answers(4, tasks=60, people=6, each=3)
    found = estimate(DEFAULT, answers, NAMES)
    decision = judge(found, [None, 0, None]).decide("animal", ["axolotl", "axolotl", None], None)
    assert decision.label == "axolotl"
    assert 0.1 < decision.confidence < 1
    assert judge(found, [None]).decide("unasked", ["x"], 2).label == "x"


def test_who_is_held_better_counts_more():
    question = QuestionModel(NAMES, [10.0, 10.0, 10.0], accuracy=0.7)
    good, poor = PersonModel(0.95, 50), PersonModel(0.4, 50)
    informed = Informed({"animal": question}, [{"animal": good}, {"animal": poor}, {"animal": poor}, None])
    assert informed.decide("animal", ["owl", "cat", "cat", None], 3).label == "owl"
    weights = informed.weights()
    assert weights == [1.0, pytest.approx(weights[2]), pytest.approx((0.4 - 1 / 3) / (0.7 - 1 / 3)), 1.0]
