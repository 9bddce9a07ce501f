"""What reviewers do: claim, accept, fix, through every level, and never their own work."""

import pytest

from refonte_studio.invariants.service import audit
from refonte_studio.reviews.service import reviewing as reviews
from tests.invariants import check, snapshot
from tests.makers import answer, batch, claim_task
from tests.makers import claim as claim_work
from tests.reviews.makers import claim, decide, project, waiting
from tests.world import World


async def test_a_task_is_completed_after_the_last_level_of_review(world: World):
    task = await waiting(world, levels=2)
    assert (await world.ana.get(f"/task/{task}"))["status"] == "pending"
    given = await claim(world.mia)
    assert given is not None
    assert given["task"]["task_id"] == task
    assert (given["level"], given["reason"], given["response"]) == (1, "level", {"category": "dog"})
    assert [attempt["response"] for attempt in given["attempts"]] == [{"category": "dog"}]
    assert world.ben.email not in str(given), "reviewers see what was answered, not by whom"
    accept = f"/reviews/{given['review_id']}/accept"
    assert await world.mia.post(accept) == {"task_id": task, "status": "pending", "level": 1, "state": "accepted"}
    done = await decide(world.max, "accept")
    assert done == {"task_id": task, "status": "completed", "level": 2, "state": "accepted"}
    made = await world.ana.get(f"/task/{task}")
    assert (made["status"], made["response"]) == ("completed", {"category": "dog"})
    assert await world.mia.post(accept) == {"task_id": task, "status": "pending", "level": 1, "state": "accepted"}


async def test_a_fix_takes_the_place_of_the_response_and_goes_up(world: World):
    task = await waiting(world, levels=2)
    given = await claim(world.mia)
    assert given is not None
    fix = f"/reviews/{given['review_id']}/fix"
    assert "'fish'" in await world.mia.refused(400, "POST", fix, {"response": {"category": "fish"}})
    fixed = await world.mia.post(fix, {"response": {"category": "cat"}, "comments": "ears"})
    assert (fixed["status"], fixed["state"]) == ("pending", "fixed")
    second = await claim(world.max)
    assert second is not None
    assert (second["level"], second["response"]) == (2, {"category": "cat"})
    await world.max.post(f"/reviews/{second['review_id']}/accept")
    assert (await world.ana.get(f"/task/{task}"))["response"] == {"category": "cat"}


async def test_nobody_reviews_their_own_work(world: World):
    name = await project(world, world.ben, world.dee, world.mia, levels=2)
    await batch(world, name)
    assert await claim(world.mia) is None, "nothing is done yet"
    await answer(world.ben)
    assert await claim(world.ben) is None, "he attempted it"
    await decide(world.mia, "accept")
    assert await claim(world.mia) is None, "she reviewed the level before"
    assert await claim(world.max) is None, "he is no reviewer"
    assert (await decide(world.dee, "accept"))["status"] == "completed", "labelers may be reviewers"


async def test_low_confidence_sends_a_task_to_review_by_itself(world: World):
    name = await project(world, wanted=2, levels=0, review_below=0.7)
    sure, unsure = await batch(world, name, tasks=2)
    for category in ("cat", "cat"):
        await answer(world.ben, category)
    await answer(world.dee, "cat")
    await answer(world.dee, "dog")
    assert (await world.ana.get(f"/task/{sure}"))["status"] == "completed"
    given = await claim(world.mia)
    assert given is not None
    assert (given["task"]["task_id"], given["reason"]) == (unsure, "confidence")
    assert given["confidence"] < 0.7
    done = await world.mia.post(f"/reviews/{given['review_id']}/fix", {"response": {"category": "bird"}})
    assert done["status"] == "completed", "one level"
    assert (await world.ana.get(f"/task/{unsure}"))["response"] == {"category": "bird"}


async def test_claiming_again_answers_what_is_held_and_a_lease_runs_out(world: World):
    await waiting(world)
    first = await claim(world.mia)
    assert first is not None
    assert await claim(world.mia, project="Pets") == first
    assert await claim(world.max) is None
    world.clock.forward(minutes=20)
    extended = await world.mia.post(f"/reviews/{first['review_id']}/extend")
    assert extended["lease_expires_at"] > first["lease_expires_at"]
    world.clock.forward(minutes=31)
    await world.mia.refused(409, "POST", f"/reviews/{first['review_id']}/accept")
    other = await claim(world.max)
    assert other is not None
    assert other["review_id"] == first["review_id"]
    await world.mia.refused(404, "POST", f"/reviews/{first['review_id']}/accept")
    release = f"/reviews/{other['review_id']}/release"
    assert await world.max.post(release) == await world.max.post(release) == {"review_id": other["review_id"]}
    await world.max.refused(409, "POST", f"/reviews/{other['review_id']}/accept")
    assert (await claim(world.mia) or {})["review_id"] == first["review_id"]


async def test_a_decision_is_made_once(world: World):
    task = await waiting(world)
    given = await claim(world.mia)
    assert given is not None
    path = f"/reviews/{given['review_id']}"
    assert "comments" in await world.mia.refused(400, "POST", f"{path}/reject")
    assert "comments" in await world.mia.refused(400, "POST", f"{path}/reject", {"comments": " "})
    await world.mia.refused(400, "POST", f"{path}/reject", {"comments": "no", "send_to": "nobody"})
    accepted = await world.mia.post(f"{path}/accept", {"comments": "good"})
    assert await world.mia.post(f"{path}/accept", {"comments": "good"}) == accepted
    await world.mia.refused(409, "POST", f"{path}/accept", {"comments": "bad"})
    await world.mia.refused(409, "POST", f"{path}/reject", {"comments": "good"})
    await world.mia.refused(409, "POST", f"{path}/extend")
    assert (await world.ana.get(f"/task/{task}"))["status"] == "completed"


async def test_a_review_ends_with_its_task(world: World):
    task = await waiting(world)
    given = await claim(world.mia)
    assert given is not None
    await world.ana.post(f"/task/{task}/cancel")
    assert "ended" in await world.mia.refused(409, "POST", f"/reviews/{given['review_id']}/accept")
    await answer(world.dee, "cat")
    sent = await world.ana.post("/studio/projects/Pets/send_tasks_to_completed", {"all_batches": True})
    assert (sent["completed"], await claim(world.mia)) == (1, None)
    assert (await world.ana.get("/batches/Monday"))["status"] == "completed"
    listed = await world.ana.get("/reviews", project="Pets")
    assert [doc["state"] for doc in listed["docs"]] == ["ended", "ended"]


async def test_reviewers_are_named_by_project_and_lose_what_they_hold_with_the_capability(world: World):
    await waiting(world)
    path = "/projects/Pets/reviewers"
    assert await world.ana.get(path) == [world.max.email, world.mia.email]
    assert "nobody@example.com" in await world.ana.refused(
        400, "POST", f"{path}/add", {"emails": ["nobody@example.com"]}
    )
    await world.ana.post("/teams/invite", {"emails": ["eve@example.com"], "team_role": "member"})
    assert "eve@" in await world.ana.refused(400, "POST", f"{path}/add", {"emails": ["eve@example.com"]})
    given = await claim(world.mia)
    assert given is not None
    assert await world.ana.post(f"{path}/remove", {"emails": [world.mia.email]}) == [world.max.email]
    await world.mia.refused(409, "POST", f"/reviews/{given['review_id']}/accept")
    assert await claim(world.mia) is None
    assert await claim(world.max) is not None
    await world.ana.post("/teams/disable", {"emails": [world.max.email]})
    assert await world.ana.post(f"{path}/add", {"emails": [world.dee.email]}) == [world.max.email, world.dee.email]
    assert (await claim(world.dee) or {})["review_id"] == given["review_id"], "disabled people hold nothing"


async def test_a_labeler_learns_nothing_of_a_review(world: World):
    task = await waiting(world, levels=1, review_below=0.9)
    assert await claim_task(world.dee) != task
    given = await claim_work(world.ben)
    assert given is None, "the other task is in work"
    (mine,) = (await world.ben.get("/work/history"))["docs"]
    assert "status" not in mine
    assert (await world.ben.get(f"/work/{mine['claim_id']}/comments")) == {"comments": []}


async def test_reviews_are_listed_for_managers(world: World):
    task = await waiting(world, levels=2)
    world.clock.forward(minutes=1)
    given = await claim(world.mia)
    assert given is not None
    world.clock.forward(seconds=7)
    await world.mia.post(f"/reviews/{given['review_id']}/accept", {"comments": "good"})
    page = await world.ana.get("/reviews", limit=1)
    assert [(doc["level"], doc["state"]) for doc in page["docs"]] == [(2, "open")]
    rest = await world.ana.get("/reviews", limit=1, next_token=page["next_token"])
    (doc,) = rest["docs"]
    assert (doc["task_id"], doc["reviewer"], doc["comments"]) == (task, world.mia.email, "good")
    assert doc["duration_ms"] == 7_000
    assert not rest["has_more"]
    assert len((await world.ana.get("/reviews", state="open"))["docs"]) == 1
    await world.ana.refused(400, "GET", "/reviews", params={"state": "lost"})
    await world.ana.refused(404, "GET", "/reviews", params={"project": "Nope"})


async def test_ones_own_review_that_ran_out_is_opened_first(world: World, monkeypatch: pytest.MonkeyPatch):
    """Though so many have run out in the team that hers has no turn among them."""
    await waiting(world)
    given = await claim(world.mia)
    assert given is not None
    await answer(world.dee)
    world.clock.forward(minutes=31)
    monkeypatch.setattr(reviews, "EXPIRE_LIMIT", 0)
    again = await claim(world.mia)
    assert again is not None
    assert again["review_id"] == given["review_id"]
    assert again["lease_expires_at"] > given["lease_expires_at"]


async def test_what_a_reviewer_fixed_stands_when_a_manager_completes_the_task(world: World):
    task = await waiting(world, levels=2)
    await decide(world.mia, "fix", response={"category": "cat"})
    await answer(world.dee, "bird")
    sent = await world.ana.post("/studio/projects/Pets/send_tasks_to_completed", {"all_batches": True})
    assert sent["completed"] == 2
    made = await world.ana.get(f"/task/{task}")
    assert (made["status"], made["response"]) == ("completed", {"category": "cat"})
    now = await world.db.read(snapshot)
    assert [row["id"] for row in now.tasks if row["reviewed"]] == [task], "no new estimate changes it"
    assert await claim(world.max) is None
    page = await world.ana.get("/tasks", project="Pets")
    assert sorted(doc["response"]["category"] for doc in page["docs"]) == ["bird", "cat"]
    check(now)
    assert [finding for finding in await world.db.read(audit) if finding.count] == []
