"""A rejected task goes back to the same people, to different people, or to anyone."""

import json

import pytest

from refonte_studio.invariants.service import audit
from tests.invariants import check, snapshot
from tests.makers import answer, batch, claim, claim_task
from tests.makers import project as plain_project
from tests.reviews.makers import decide, project, waiting
from tests.world import World


@pytest.fixture
async def world(world: World):
    """Whatever a test has done to it, what the auditor looks at is right."""
    yield world
    check(await world.db.read(snapshot))
    assert [finding for finding in await world.db.read(audit) if finding.count] == []


async def test_the_same_person_does_it_again_before_other_work(world: World):
    task = await waiting(world, rejects_to="same")
    await plain_project(world, "Birds")
    rejected = await decide(world.mia, "reject", comments="look at the ears")
    assert (rejected["status"], rejected["state"]) == ("pending", "rejected")
    assert await claim_task(world.dee) != task, "his place is kept for him"
    assert (await world.ben.get("/work/queue"))["waiting"] == 1
    assert await claim_task(world.ben, project="Birds") is None
    given = await claim(world.ben)
    assert given is not None
    assert given["task"]["task_id"] == task
    assert "ears" not in str(given["task"])
    assert await world.ben.get(f"/work/{given['claim_id']}/comments") == {"comments": ["look at the ears"]}
    assert (await world.ben.get("/work/queue"))["waiting"] == 0
    again = f"/work/{given['claim_id']}/submit"
    done = await world.ben.post(again, {"response": {"category": "cat"}})
    assert await world.ben.post(again, {"response": {"category": "cat"}}) == done
    await decide(world.max, "accept")
    made = await world.ana.get(f"/task/{task}")
    assert (made["status"], made["response"]) == ("completed", {"category": "cat"})
    first = (await world.ben.get("/work/history"))["docs"][-1]
    assert first["response"] == {"category": "dog"}, "what he did before stays his"
    sent_again = f"/work/{first['claim_id']}/submit"
    await world.ben.post(sent_again, {"response": {"category": "dog"}})
    await world.ben.refused(409, "POST", sent_again, {"response": {"category": "cat"}})


async def test_different_people_do_it_again(world: World):
    task = await waiting(world)
    await decide(world.mia, "reject", comments="no")
    assert await claim_task(world.ben) != task
    assert await claim_task(world.dee) == task
    await answer(world.dee, "cat")
    await decide(world.mia, "accept")
    assert (await world.ana.get(f"/task/{task}"))["response"] == {"category": "cat"}


async def test_anyone_may_do_it_again(world: World):
    task = await waiting(world)
    await decide(world.mia, "reject", comments="no", send_to="anyone")
    given = await claim(world.ben)
    assert given is not None
    assert given["task"]["task_id"] == task
    assert await world.ben.get(f"/work/{given['claim_id']}/comments") == {"comments": []}
    await answer(world.ben, "cat")
    assert (await decide(world.mia, "accept"))["status"] == "completed"


async def test_a_consensus_counts_only_what_was_not_rejected(world: World):
    name = await project(world, wanted=2, rejects_to="same")
    (task,) = await batch(world, name)
    await answer(world.ben, "dog")
    await answer(world.dee, "dog")
    await decide(world.mia, "reject", comments="no dog")
    assert await claim_task(world.ben) == await claim_task(world.dee) == task
    await answer(world.ben, "cat")
    check(await world.db.read(snapshot))
    done = await answer(world.dee, "cat")
    assert (done["attempts"], done["attempts_wanted"]) == (2, 2)
    await decide(world.max, "accept")
    assert (await world.ana.get(f"/task/{task}"))["response"] == {"category": "cat"}
    line = (await world.ana.call("GET", "/tasks/export", params={"project": name, "attempts": True})).json()
    assert [attempt["response"]["category"] for attempt in line["attempts"]] == ["cat", "cat"]


@pytest.mark.parametrize("how", ["release", "expire"])
async def test_a_redo_that_is_given_back_waits_for_its_person(world: World, how: str):
    task = await waiting(world, rejects_to="same")
    await decide(world.mia, "reject", comments="no")
    given = await claim(world.ben)
    assert given is not None
    assert given["task"]["task_id"] == task
    if how == "release":
        await world.ben.post(f"/work/{given['claim_id']}/release")
    else:
        world.clock.forward(minutes=31)
    assert await claim_task(world.dee) != task
    assert await claim_task(world.ben) == task


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("how", ["skip", "unassign", "disable"])
async def test_a_redo_that_is_not_done_is_open_to_others(world: World, how: str, held: bool):
    task = await waiting(world, rejects_to="same")
    await decide(world.mia, "reject", comments="no")
    given = await claim(world.ben) if held or how == "skip" else None
    if how == "skip":
        assert given is not None
        await world.ben.post(f"/work/{given['claim_id']}/skip")
    elif how == "unassign":
        await world.ana.post("/studio/assignments/remove", {"emails": [world.ben.email]})
    else:
        await world.ana.post("/teams/disable", {"emails": [world.ben.email]})
    check(await world.db.read(snapshot))
    assert await claim_task(world.dee) == task


async def test_somebody_who_is_paused_finishes_what_they_hold_and_does_no_more_again(world: World):
    name = await project(world, rejects_to="same")
    first, second = await batch(world, name, tasks=2)
    for _ in range(2):
        await answer(world.ben)
    for _ in range(2):
        await decide(world.mia, "reject", comments="no")
    assert await claim_task(world.ben) == first
    await world.ana.post("/quality/pauses/add", {"project": name, "emails": [world.ben.email]})
    check(await world.db.read(snapshot))
    assert await claim_task(world.dee) == second
    await answer(world.ben, "cat")
    assert await claim_task(world.ben) is None


async def test_a_task_does_not_wait_for_somebody_who_has_left(world: World):
    name = await project(world, wanted=2, rejects_to="same")
    (task,) = await batch(world, name)
    for person in (world.ben, world.dee):
        await answer(person, "dog")
    await world.ana.post("/studio/assignments/remove", {"emails": [world.ben.email]})
    await world.ana.post("/studio/assignments/add", {"emails": [world.max.email], "projects": [name]})
    await decide(world.mia, "reject", comments="no dog")
    assert await claim_task(world.max) == await claim_task(world.dee) == task
    await world.ana.post("/studio/assignments/add", {"emails": [world.ben.email], "projects": [name]})
    assert await claim_task(world.ben) is None


async def test_attempts_made_elsewhere_are_reviewed_and_done_again_here(world: World):
    name = await project(world, rejects_to="same")
    await world.ana.post("/batches", {"project": name, "name": "Monday"})
    line = {"attachment": "https://example.com/1.jpg", "attempts": [{"labeler": "w1", "response": {"category": "dog"}}]}
    imported = {"project": name, "batch": "Monday"}
    response = await world.ana.call("POST", "/tasks/import", content=json.dumps(line).encode(), params=imported)
    assert response.status_code == 200, response.text
    await world.ana.post("/batches/Monday/finalize")
    await decide(world.mia, "reject", comments="no dog")
    task = (await answer(world.ben, "cat"))["task_id"]
    await decide(world.mia, "accept")
    events = (await world.ana.get(f"/task/{task}/history"))["events"]
    elsewhere = next(event for event in events if event.get("imported"))
    assert elsewhere["imported_by"] == world.ana.email
    assert (elsewhere["event"], elsewhere["rejected"], "duration_ms" in elsewhere) == ("submitted", True, False)


async def test_a_canceled_task_is_nobodys_to_do_again(world: World):
    task = await waiting(world, rejects_to="same")
    await decide(world.mia, "reject", comments="no")
    await world.ana.post(f"/task/{task}/cancel")
    assert await claim_task(world.ben) != task


async def test_one_who_rejected_may_review_the_next_round_but_one_who_fixed_may_not(world: World):
    await waiting(world, levels=2)
    await decide(world.mia, "fix", response={"category": "cat"})
    await decide(world.max, "reject", comments="no", send_to="same")
    await answer(world.ben, "bird")
    assert (await world.mia.call("POST", "/reviews/claim")).status_code == 204
    assert (await decide(world.max, "accept"))["level"] == 1


@pytest.mark.parametrize("send_to", ["same", "different", "anyone"])
async def test_whoever_has_held_a_review_of_a_task_does_not_get_it_when_it_is_sent_back(world: World, send_to: str):
    """Mia accepts, Max rejects: both work in the project, too, and have seen the answer."""
    name = await project(world, levels=2)
    emails = [world.mia.email, world.max.email]
    await world.ana.post("/studio/assignments/add", {"emails": emails, "projects": [name]})
    task, other = await batch(world, name, tasks=2)
    await answer(world.ben, "dog")
    await decide(world.mia, "accept")
    await decide(world.max, "reject", comments="no", send_to=send_to)
    await world.ana.post("/studio/assignments/remove", {"emails": [world.ben.email]})
    assert await claim_task(world.mia) == other
    assert await claim_task(world.max) is None
    assert (await world.max.get("/work/queue"))["waiting"] == 0
    assert await claim_task(world.dee) == task
    events = (await world.ana.get(f"/task/{task}/history"))["events"]
    assert "skipped" not in [event["event"] for event in events], "they have declined nothing"
    figures = await world.ana.get("/insight/labelers", project=name)
    assert [doc["skipped"] for doc in figures["docs"]] == [0] * len(figures["docs"])
