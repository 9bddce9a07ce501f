"""Quality tasks that are made from completed tasks."""

import pytest

from tests.makers import answer, batch, claim_task, project, task
from tests.reviews.makers import decide, waiting
from tests.world import World


@pytest.mark.parametrize("kind", ["training", "evaluation"])
async def test_an_audited_task_becomes_a_quality_task_for_those_who_did_not_attempt_it(world: World, kind: str):
    await project(world)
    (source,) = await batch(world, "Pets")
    await answer(world.ben, "bird")
    path = f"/task/{source}/quality_task"
    assert "not audited" in await world.ana.refused(400, "POST", path, {"kind": kind})
    await world.ana.post(f"/task/{source}/audit", {"accepted": False})
    assert "rejected" in await world.ana.refused(400, "POST", path, {"kind": kind})
    await world.ana.post(f"/task/{source}/audit", {"accepted": True})
    assert "'fish'" in await world.ana.refused(
        400, "POST", path, {"kind": kind, "expected_response": {"category": "fish"}}
    )
    made = await world.ana.post(path, {"kind": kind})
    assert made == {"id": made["id"], "expected_response": {"category": "bird"}}
    assert made["id"] in await world.ana.refused(409, "POST", path, {"kind": kind})
    old, new = await world.ana.get(f"/task/{source}"), await world.ana.get(f"/task/{made['id']}")
    same = ("type", "attachment", "categories", "project", "metadata")
    assert [old[name] for name in same] == [new[name] for name in same]
    assert await claim_task(world.ben) is None, "he has answered it"
    assert (await world.ben.get("/work/queue"))["waiting"] == 0
    assert (await world.ben.get("/work/training"))["projects"] == []
    assert (await answer(world.dee, "bird"))["task_id"] == made["id"]
    (attempt,) = (await world.ana.get("/quality/labelers", quality_task_ids=made["id"]))["docs"]
    assert attempt["passed"]
    await world.ana.refused(400, "POST", f"/task/{made['id']}/quality_task", {"kind": kind})


async def test_only_a_completed_task_becomes_a_quality_task(world: World):
    await project(world)
    pending = await task(world, "Pets")
    path = f"/task/{pending}/quality_task"
    assert "pending" in await world.ana.refused(400, "POST", path, {"kind": "training"})
    assert "work" in await world.ana.refused(400, "POST", path, {"kind": "work"})
    await world.ana.refused(404, "POST", "/task/nothing/quality_task", {"kind": "training"})
    await world.cid.refused(404, "POST", path, {"kind": "training"})


@pytest.mark.parametrize("kind", ["training", "evaluation"])
async def test_whoever_reviewed_or_audited_a_task_does_not_get_the_quality_task_made_of_it(world: World, kind: str):
    source = await waiting(world)
    emails = [world.mia.email, world.max.email, world.ana.email]
    await world.ana.post("/studio/assignments/add", {"emails": emails, "projects": ["Pets"]})
    await decide(world.mia, "accept")
    await world.max.post(f"/task/{source}/audit", {"accepted": True})
    made = await world.ana.post(f"/task/{source}/quality_task", {"kind": kind})
    await answer(world.ben)
    for person in (world.ben, world.mia, world.max):
        assert await claim_task(person) is None, person.email
        assert (await person.get("/work/queue"))["waiting"] == 0
        assert (await person.get("/work/training"))["projects"] == []
    assert await claim_task(world.dee) == made["id"]
