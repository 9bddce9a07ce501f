"""Confusion matrices, and who disagrees with whom."""

from typing import Any

import pytest

from refonte_studio.analytics.policy import figures as figure_policy
from refonte_studio.analytics.policy.figures import PersonAnswer
from refonte_studio.analytics.service import answers
from refonte_studio.kit.caller import Role
from tests import makers
from tests.analytics.makers import claim_and_submit
from tests.world import World


async def worked(world: World) -> None:
    """Three people do four tasks; Eve is of another mind on two of them, Dee on one of these."""
    eve = await world.person("eve", world.ana.team_id, Role.LABELER)
    await makers.project(world, people=(world.ben, world.dee, eve), wanted=3)
    await makers.batch(world, "Pets", tasks=4)
    said = {"ben": "cat dog dog bird", "dee": "cat dog dog cat", "eve": "cat cat dog cat"}
    for person in (world.ben, world.dee, eve):
        for category in said[person.name].split():
            await claim_and_submit(world, person, category)


async def test_a_confusion_matrix_counts_what_was_said_where_what_was_right(world: World):
    await worked(world)
    found = await world.mia.get("/insight/confusion", project="Pets")
    assert found["question"] == "category"
    assert {(cell["result"], cell["answer"]): cell["count"] for cell in found["cells"]} == {
        ("cat", "cat"): 5,
        ("dog", "dog"): 5,
        ("dog", "cat"): 1,
        ("cat", "bird"): 1,
    }
    assert found["labels"] == ["cat", "dog", "bird"]
    assert (found["attempts"], found["truncated"]) == (12, False)
    mine = await world.mia.get("/insight/confusion", project="Pets", labeler_emails="ben@example.com,eve@example.com")
    assert mine["attempts"] == 8
    assert [len(one["cells"]) for one in mine["labelers"]] == [3, 3]
    assert "'colour'" in await world.mia.refused(400, "GET", "/insight/confusion?project=Pets&question=colour")
    early = await world.mia.get("/insight/confusion", project="Pets", question="category", to="2020-01-01")
    assert (early["cells"], early["labels"], early["attempts"]) == ([], [], 0)


async def test_evaluation_tasks_tell_what_was_right_too(world: World):
    await makers.project(world)
    given = {"project": "Pets", "attachment": "https://example.com/e.jpg", "expected_response": {"category": "cat"}}
    await world.ana.post("/evaluation_tasks/categorization", given)
    for person, category in ((world.ben, "cat"), (world.dee, "dog")):
        await claim_and_submit(world, person, category)
    found = await world.mia.get("/insight/confusion", project="Pets", against="evaluation")
    assert found["cells"] == [
        {"result": "cat", "answer": "cat", "count": 1},
        {"result": "cat", "answer": "dog", "count": 1},
    ]
    nothing = "/insight/confusion?project=Pets"
    assert "no attempt" in await world.mia.refused(400, "GET", nothing)


async def test_pairs_come_with_those_that_agree_least_first(world: World):
    await worked(world)
    found = await world.mia.get("/insight/disagreement", project="Pets", at_least=4)
    assert [(pair["labelers"], pair["together"], pair["agreed"], pair["agreement"]) for pair in found["docs"]] == [
        (["ben@example.com", "eve@example.com"], 4, 2, 0.5),
        (["ben@example.com", "dee@example.com"], 4, 3, 0.75),
        (["dee@example.com", "eve@example.com"], 4, 3, 0.75),
    ]
    assert found["docs"][0]["kappa"] == pytest.approx((2 - 5 / 4) / (4 - 5 / 4))
    assert (await world.mia.get("/insight/disagreement", project="Pets"))["docs"] == [], "they met less than five times"
    ben = {"labeler_emails": "ben@example.com,dee@example.com"}
    assert len((await world.mia.get("/insight/disagreement", project="Pets", at_least=1, **ben))["docs"]) == 1


async def test_the_newest_answers_are_read_as_far_as_that_goes(world: World, monkeypatch: pytest.MonkeyPatch):
    await worked(world)
    monkeypatch.setattr(answers, "ATTEMPTS_LIMIT", 5)
    monkeypatch.setattr(answers, "FIRST_ROWS", 2)
    monkeypatch.setattr(answers, "MOST_ROWS", 3)
    monkeypatch.setattr(answers, "LEAST_ROWS", 2)
    found = await world.mia.get("/insight/confusion", project="Pets")
    assert (found["attempts"], found["truncated"]) == (5, True)
    assert sum(cell["count"] for cell in found["cells"]) == 5


async def test_drawn_answers_are_compared_by_how_alike_they_are(world: World):
    await makers.project(
        world, type="imageannotation", wanted=2, params={"geometries": {"box": {"objects_to_annotate": ["cat"]}}}
    )
    await world.ana.post("/batches", {"project": "Pets", "name": "Monday"})
    await world.ana.post(
        "/task/imageannotation", {"project": "Pets", "batch": "Monday", "attachment": "https://example.com/1.jpg"}
    )
    await world.ana.post("/batches/Monday/finalize")
    for person, left in ((world.ben, 0), (world.dee, 10)):
        given = await makers.claim(person)
        assert given
        box: dict[str, Any] = {
            "uuid": "1",
            "label": "cat",
            "type": "box",
            "left": left,
            "top": 0,
            "width": 30,
            "height": 30,
        }
        await person.post(f"/work/{given['claim_id']}/submit", {"response": {"annotations": [box]}})
    [pair] = (await world.mia.get("/insight/disagreement", project="Pets", at_least=1))["docs"]
    assert 0 < pair["agreement"] < 1
    assert (pair["together"], pair["agreed"], pair["kappa"]) == (1, 0, None)


def test_kappa_is_what_chance_does_not_explain():
    assert figure_policy.kappa({}) is None
    assert figure_policy.kappa({"q": [("a", "a")] * 3}) is None, "with one label there is nothing but chance"
    assert figure_policy.kappa({"q": [("a", "a"), ("b", "b")]}) == 1
    assert figure_policy.kappa({"q": [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")]}) == 0


def test_too_many_comparisons_are_cut_off():
    task = [PersonAnswer(f"p{number}", {"q": "a"}, None) for number in range(4)]
    found, truncated = figure_policy.pairs([task, task], lambda *_: 0.0, 8)
    assert truncated
    assert sum(pair.together for pair in found) == 8
    assert not figure_policy.pairs([task, task], lambda *_: 0.0, 12)[1]
