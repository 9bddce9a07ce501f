"""A task's history: who worked on it, when, how long, and by which instructions."""

from typing import Any

from tests.makers import answer, claim, task
from tests.reviews.makers import claim as claim_review
from tests.reviews.makers import project
from tests.world import START_MS, World

START = "2026-02-02T02:40:"


async def history(world: World, task_id: str) -> list[dict[str, Any]]:
    return (await world.ana.get(f"/task/{task_id}/history"))["events"]


async def test_all_that_happened_to_a_task_is_told_in_order(world: World):
    name = await project(world, rejects_to="same")
    await world.ana.post(f"/projects/{name}/setParams", {"categories": ["cat", "dog"], "instruction": "Look."})
    made = await task(world, name)
    world.clock.forward(seconds=1)
    first = await claim(world.ben)
    assert first is not None
    world.clock.forward(seconds=2)
    await world.ben.post(f"/work/{first['claim_id']}/release")
    world.clock.forward(seconds=1)
    again = await claim(world.ben)
    assert again is not None
    world.clock.forward(seconds=5)
    await answer(world.ben, "dog")
    world.clock.forward(seconds=1)
    given = await claim_review(world.mia)
    assert given is not None
    world.clock.forward(seconds=3)
    await world.mia.post(f"/reviews/{given['review_id']}/reject", {"comments": "no dog"})
    world.clock.forward(seconds=1)
    await claim(world.ben)
    world.clock.forward(seconds=4)
    await answer(world.ben, "cat")
    second = await claim_review(world.max)
    assert second is not None
    world.clock.forward(seconds=2)
    await world.max.post(f"/reviews/{second['review_id']}/accept")
    world.clock.forward(seconds=1)
    await world.ana.post(f"/task/{made}/audit", {"accepted": False, "response": {"category": "dog"}})
    answered = await world.ana.get(f"/task/{made}/history")
    assert (answered["task_id"], answered["instructions_version"], answered["whole"]) == (made, 2, True)
    events = answered["events"]
    assert START_MS == 1_770_000_000_000
    assert [(event["at"][17:19], event["event"], event.get("who", "").partition("@")[0]) for event in events] == [
        ("00", "created", ""),
        ("01", "claimed", "ben"),
        ("03", "released", "ben"),
        ("04", "claimed", "ben"),
        ("09", "submitted", "ben"),
        ("09", "review_opened", ""),
        ("13", "review_rejected", "mia"),
        ("14", "claimed", "ben"),
        ("18", "submitted", "ben"),
        ("18", "review_opened", ""),
        ("20", "review_accepted", "max"),
        ("20", "completed", ""),
        ("21", "audited", "ana"),
    ]
    by_time = {(event["event"], event["at"][17:19]): event for event in events}
    submitted = by_time["submitted", "09"]
    assert (submitted["duration_ms"], submitted["round"], submitted["rejected"]) == (5_000, 1, True)
    assert submitted["instructions_version"] == 2
    redone = by_time["submitted", "18"]
    assert (redone["duration_ms"], redone["round"], redone["rejected"]) == (4_000, 2, False)
    rejected = by_time["review_rejected", "13"]
    assert (rejected["level"], rejected["comments"], rejected["send_to"]) == (1, "no dog", "same")
    assert rejected["duration_ms"] == 3_000
    assert by_time["completed", "20"]["reviewed"]
    assert by_time["audited", "21"]["fixed"]


async def test_what_was_declined_lost_or_canceled_is_told(world: World):
    name = await project(world)
    made = await task(world, name)
    given = await claim(world.ben)
    assert given is not None
    await world.ben.post(f"/work/{given['claim_id']}/skip", {"reason": "too dark"})
    await claim(world.dee)
    world.clock.forward(minutes=31)
    await claim(world.dee)
    world.clock.forward(seconds=1)
    await world.ana.post(f"/task/{made}/cancel")
    events = await history(world, made)
    assert [event["event"] for event in events] == [
        *("created", "claimed", "claimed", "skipped", "claimed", "expired", "ended", "canceled")
    ]
    assert next(event for event in events if event["event"] == "skipped")["reason"] == "too dark"
    await world.ben.refused(403, "GET", f"/task/{made}/history")
    await world.cid.refused(404, "GET", f"/task/{made}/history")
