"""Properties of consensus, similarity and score for every task type."""

import copy
import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refonte_studio.consensus.judges import Plain
from refonte_studio.consensus.model import Decision
from refonte_studio.task_types import TYPES, TaskType
from tests.task_types.test_every import SOME, every, few

seeds = st.integers(0, 2**32)
fewer = settings(few, max_examples=10)


class Trusting(Plain):
    """Weighs the attempts as it is told, and remembers what it was asked."""

    def __init__(self, *weights: float) -> None:
        super().__init__(len(weights))
        self._weights = weights
        self.asked: dict[str, int | None] = {}

    def decide(self, question: str, said: Sequence[str | None], choices: int | None) -> Decision:
        assert len(said) == len(self._weights)
        assert any(each is not None for each in said)
        self.asked[question] = choices
        votes: dict[str, float] = {}
        for label, weight in zip(said, self._weights, strict=True):
            if label is not None:
                votes[label] = votes.get(label, 0.0) + weight
        winner = max(votes, key=lambda label: votes[label])
        return Decision(winner, (votes[winner] + 0.5) / (sum(votes.values()) + 1))

    def weights(self) -> Sequence[float]:
        return self._weights


def some(task_type: TaskType, chance: random.Random) -> dict[str, Any]:
    return task_type.check_response(task_type.example_params, SOME[task_type.name](task_type, chance))


def several(task_type: TaskType, chance: random.Random, most: int = 5) -> list[dict[str, Any]]:
    """Some that are like each other, and some that are not."""
    pool = [some(task_type, chance) for _ in range(3)]
    return [chance.choice(pool) for _ in range(chance.randint(1, most))]


def disguised(value: Any, chance: random.Random) -> Any:
    """The same content: other ids, other order of the annotations, whole numbers as floats."""
    found = copy.deepcopy(value)
    annotations = found.get("annotations")
    if isinstance(annotations, list):
        chance.shuffle(annotations)
        new = {name: f"new {name}" for each in annotations for name in (each.get("uuid"), each.get("id"))}
        for each in annotations:
            each.update({name: new[each[name]] for name in ("uuid", "id") if name in each})
        for relation in found.get("relations", ()):
            relation.update({end: new[relation[end]] for end in ("from", "to")})
    return floated(found)


def floated(value: Any) -> Any:
    if isinstance(value, dict):
        untouched = ("start", "end", "key", "page", "rle")
        return {name: each if name in untouched else floated(each) for name, each in value.items()}
    if isinstance(value, list):
        return [floated(each) for each in value]
    return float(value) if type(value) is int else value


@every
@fewer
@given(seed=seeds)
def test_one_more_attempt_that_says_the_same_never_lowers_the_confidence(task_type, seed):
    chance = random.Random(seed)
    params, responses = task_type.example_params, several(task_type, chance)
    judge = Trusting(*(chance.choice([0.3, 0.6, 1.0]) for _ in responses))
    outcome = task_type.consensus(params, responses, judge)
    assert 0 < outcome.confidence < 1
    assert 0 <= outcome.agreement <= 1
    more = task_type.consensus(params, [*responses, outcome.response], Trusting(*judge.weights(), 1.0))
    assert more.confidence >= outcome.confidence - 1e-9


@every
@fewer
@given(seed=seeds)
def test_many_who_agree_are_surer_than_few(task_type, seed):
    said = some(task_type, random.Random(seed))
    outcomes = [task_type.consensus(task_type.example_params, [said] * many, Plain(many)) for many in (1, 2, 5)]
    assert outcomes[0].response is said
    assert [outcome.agreement for outcome in outcomes] == [1.0] * 3
    assert outcomes[0].confidence < outcomes[1].confidence < outcomes[2].confidence


@every
@fewer
@given(seed=seeds)
def test_the_order_of_the_attempts_matters_only_where_they_tie(task_type, seed):
    chance = random.Random(seed)
    params, said, other = task_type.example_params, some(task_type, chance), some(task_type, chance)
    orders = set(itertools.permutations((0, 0, 1)))
    found = [task_type.consensus(params, [(said, other)[each] for each in order], Plain(3)) for order in orders]
    assert len({round(each.confidence, 9) for each in found}) == 1
    assert len({round(each.agreement, 9) for each in found}) == 1
    assert all(task_type.similarity(params, each.response, found[0].response) == 1.0 for each in found)


@every
@fewer
@given(seed=seeds)
def test_one_who_is_believed_prevails_over_two_who_are_not(task_type, seed):
    chance = random.Random(seed)
    params, said, other = task_type.example_params, some(task_type, chance), some(task_type, chance)
    outcome = task_type.consensus(params, [other, said, other], Trusting(0.2, 1.0, 0.2))
    assert task_type.similarity(params, outcome.response, said) == 1.0
    nobody = task_type.consensus(params, [other, said, other], Trusting(0.0, 0.0, 0.0))
    assert task_type.check_response(params, nobody.response) == nobody.response


@every
@fewer
@given(seed=seeds)
def test_likeness_is_mutual_and_whole_for_the_same_content(task_type, seed):
    chance = random.Random(seed)
    params, one, other = task_type.example_params, some(task_type, chance), some(task_type, chance)
    alike = task_type.similarity(params, one, other)
    assert 0 <= alike <= 1
    assert task_type.similarity(params, other, one) == pytest.approx(alike)
    again = task_type.check_response(params, disguised(one, chance))
    for measure in (task_type.similarity, task_type.score):
        assert measure(params, one, again) == 1.0
        assert measure(params, again, one) == 1.0


@every
@fewer
@given(seed=seeds)
def test_judges_are_asked_by_the_names_that_votes_go_by(task_type, seed):
    chance = random.Random(seed)
    params, responses = task_type.example_params, several(task_type, chance)
    judge = Trusting(*[1.0] * len(responses))
    task_type.consensus(params, responses, judge)
    votes = {name for response in responses for name in task_type.votes(params, response)}
    choices = task_type.choices(params)
    assert votes <= choices.keys()
    if choices:
        assert {name: choices[name] for name in judge.asked} == judge.asked
    assert all(count >= 2 for count in choices.values())


def test_the_agreement_is_the_mean_likeness_of_two_attempts():
    for task_type in TYPES.values():
        chance = random.Random(7)
        responses = [some(task_type, chance) for _ in range(4)]
        alike = [
            task_type.similarity(task_type.example_params, one, other)
            for one, other in itertools.combinations(responses, 2)
        ]
        outcome = task_type.consensus(task_type.example_params, responses, Plain(4))
        assert outcome.agreement == pytest.approx(sum(alike) / 6)


@every
def test_the_cost_of_a_small_task_is_small_and_grows_with_its_attempts(task_type):
    params, said = task_type.example_params, task_type.example_response
    few_say, many_say = (task_type.consensus_cost(params, [said] * many) for many in (2, 15))
    assert 0 < few_say < many_say < 50_000


@every
@fewer
@given(seed=seeds)
def test_a_cost_is_known_for_whatever_is_said(task_type, seed):
    chance = random.Random(seed)
    assert task_type.consensus_cost(task_type.example_params, several(task_type, chance)) >= 0


def test_objects_that_are_compared_each_with_each_cost_more_than_their_number_says():
    drawing = TYPES["imageannotation"]
    pond = drawing.example_response["annotations"][1]

    def cost(ponds: int) -> int:
        response = {"annotations": [{**pond, "uuid": str(index)} for index in range(ponds)]}
        return drawing.consensus_cost(drawing.example_params, [response, response])

    assert cost(150) > 1.2 * 15 * cost(10)


def test_long_texts_cost_more_than_short_ones():
    form = TYPES["textcollection"]

    def cost(length: int) -> int:
        answer = {"type": "text", "field_id": "reason", "response": [["x" * length]]}
        return form.consensus_cost(form.example_params, [{"annotations": {"reason": answer}}] * 3)

    assert cost(4_000) > 5 * cost(40)
