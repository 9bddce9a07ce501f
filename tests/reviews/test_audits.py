"""Audits of a share of the completed tasks, by people outside the pipeline."""

import pytest

from refonte_studio.reviews.policy import audit_bound
from tests.makers import answer, batch, project
from tests.reviews.makers import decide, waiting
from tests.world import World


async def test_whoever_had_a_part_in_a_task_does_not_audit_it(world: World):
    name = await project(world, people=(world.ben, world.max))
    first, second = await batch(world, name, tasks=2)
    await answer(world.ben)
    await answer(world.max)
    error = await world.max.refused(400, "POST", f"/task/{second}/audit", {"accepted": True})
    assert "attempted" in error
    assert second in error
    made = await world.max.post(f"/task/{first}/audit", {"accepted": True})
    assert made["customer_review_status"] == "accepted"


async def test_a_reviewer_does_not_audit_what_they_reviewed(world: World):
    task = await waiting(world)
    await decide(world.mia, "accept")
    assert "reviewed" in await world.mia.refused(400, "POST", f"/task/{task}/audit", {"accepted": True})
    await world.max.post(f"/task/{task}/audit", {"accepted": True})


async def test_an_audit_may_put_a_task_right(world: World):
    name = await project(world)
    first, _ = await batch(world, name, tasks=2)
    await answer(world.ben, "dog")
    path, right = f"/task/{first}/audit", {"category": "cat"}
    bad = {"accepted": False, "response": {"category": "fish"}}
    assert "'fish'" in await world.ana.refused(400, "POST", path, bad)
    assert "audits" not in await world.ana.get(f"/task/{first}"), "nothing half-done"
    made = await world.ana.post(path, {"accepted": False, "comments": "a cat", "response": right})
    assert (made["customer_review_status"], made["response"]) == ("fixed", right)
    assert made["audits"][0]["comments"] == "a cat"


async def test_a_share_of_what_is_completed_is_due(world: World):
    name = await project(world)
    ids = await batch(world, name, tasks=41)
    for _ in range(40):
        await answer(world.ben)

    async def due(**more: object) -> list[str]:
        return [doc["task_id"] for doc in (await world.ana.get("/audits/due", project=name, **more))["docs"]]

    assert await due() == []
    await world.ana.post(f"/projects/{name}/quality", {"audit_rate": 0.25})
    sampled = await due()
    assert 8 <= len(sampled) <= 12, "spread evenly"
    assert sampled == sorted(sampled)
    assert set(sampled) < set(ids)
    await world.ana.post(f"/task/{sampled[0]}/audit", {"accepted": True})
    assert await due() == sampled[1:]
    page = await world.ana.get("/audits/due", project=name, limit=5)
    rest = await world.ana.get("/audits/due", project=name, next_token=page["next_token"])
    assert [doc["task_id"] for doc in page["docs"] + rest["docs"]] == sampled[1:]
    assert page["docs"][0]["response"] == {"category": "cat"}
    await world.ana.post(f"/projects/{name}/quality", {"audit_rate": 1})
    assert await due() == [task for task in ids[:40] if task != sampled[0]]
    await world.ana.refused(404, "GET", "/audits/due", params={"project": "Nope"})
    await world.ana.refused(400, "GET", "/audits/due")


async def test_what_is_due_leaves_out_ones_own_work(world: World):
    name = await project(world, people=(world.ben, world.max))
    first, second = await batch(world, name, tasks=2)
    await answer(world.ben)
    await answer(world.max)
    await world.ana.post(f"/projects/{name}/quality", {"audit_rate": 1})
    for person, expected in ((world.max, [first]), (world.ana, [first, second])):
        assert [doc["task_id"] for doc in (await person.get("/audits/due", project=name))["docs"]] == expected


@pytest.mark.parametrize(
    ("rate", "bound"), [(0.0, "0000"), (0.05, "0ccd"), (1e-9, "0001"), (0.5, "8000"), (0.999999, "ffff"), (1.0, "g")]
)
def test_the_bound_of_a_rate(rate: float, bound: str):
    assert audit_bound(rate) == bound
