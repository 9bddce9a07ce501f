"""Evaluation: mixed in at a rate, counted, and what follows from the count."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from refonte_studio.dispatch.policy.choices import mixes_in
from refonte_studio.dispatch.service import fast_path
from refonte_studio.quality.policy import wilson
from tests.callbacks.conftest import PostOffice, post_office
from tests.callbacks.test_contents import PAYLOADS
from tests.invariants import check, snapshot
from tests.makers import answer, batch, claim, claim_task, project
from tests.quality.makers import change_settings, lift_pause, list_pauses, make_quality_task
from tests.world import World

__all__ = ["post_office"]


@pytest.mark.parametrize(
    ("successes", "n", "interval"),
    [  # computed by hand from Wilson's formula, z = 1.96
        (0, 0, (0.0, 1.0)),
        (0, 10, (0.0, 0.2775)),
        (4, 10, (0.1682, 0.6873)),
        (10, 10, (0.7225, 1.0)),
        (81, 263, (0.2553, 0.3662)),  # Newcombe's example (1998)
    ],
)
def test_the_interval_is_wilsons(successes: int, n: int, interval: tuple[float, float]):
    assert wilson(successes, n) == pytest.approx(interval, abs=5e-5)


async def test_evaluation_tasks_come_before_as_many_tasks_as_the_rate_says(world: World):
    """At every try the same, on both engines, and so by either way of claiming."""
    name = await project(world, people=(world.ben,))
    real = await batch(world, name, tasks=12)
    evaluations = [await make_quality_task(world, "evaluation") for _ in range(12)]
    await change_settings(world, evaluation_rate=0.5)
    seen = []
    while (task := await claim_task(world.ben)) is not None:
        seen.append((await answer(world.ben, "dog"))["task_id"])
        assert seen[-1] == task
    due = iter(evaluations)
    expected = [
        each for task in real for each in ((next(due), task) if mixes_in(world.ben.id, task, 32_768) else (task,))
    ]
    assert seen == [*expected, *due]
    assert 2 <= sum(task in evaluations for task in seen[: len(expected)]) <= 10
    await change_settings(world, evaluation_rate=1)
    first, second = await batch(world, name, "Tuesday", tasks=2)
    late = await make_quality_task(world, "evaluation")
    # never two in a row while there is other work
    expected = [first, late, second] if seen[-1] in evaluations else [late, first, second]
    assert [(await answer(world.ben, "dog"))["task_id"] for _ in range(3)] == expected


async def test_accuracy_is_told_with_its_interval(world: World):
    name = await project(world)
    for _ in range(4):
        await make_quality_task(world, "evaluation")
    await make_quality_task(world, "training")
    await answer(world.ben, "dog")
    for category in ("dog", "dog", "dog", "cat"):
        await answer(world.ben, category)
    page = await world.mia.get("/quality/accuracy", project=name)
    low, high = wilson(3, 4)
    base = {"project": "Pets", "paused": False}
    assert page["docs"] == [
        {
            **base,
            "labeler_email": world.ben.email,
            "evaluated": 4,
            "passed": 3,
            "accuracy": 0.75,
            "mean_score": 0.75,
            "low": pytest.approx(low),
            "high": pytest.approx(high),
            "training": {"tasks": 1, "passed": 1, "state": "passed"},
        },
        {
            **base,
            "labeler_email": world.dee.email,
            "evaluated": 0,
            "passed": 0,
            "low": 0.0,
            "high": 1.0,
            "training": {"tasks": 1, "passed": 0, "state": "open"},
        },
    ]
    await project(world, "Birds")
    pages = [await world.mia.get("/quality/accuracy", limit=3)]
    pages.append(await world.mia.get("/quality/accuracy", limit=3, next_token=pages[0]["next_token"]))
    listed = [(doc["labeler_email"], doc["project"]) for page in pages for doc in page["docs"]]
    assert listed == [(who.email, name) for who in (world.ben, world.dee) for name in ("Pets", "Birds")]
    assert [page["has_more"] for page in pages] == [True, False]
    only = await world.mia.get("/quality/accuracy", labeler_emails=world.dee.email, project="Birds")
    assert len(only["docs"]) == 1
    await world.mia.refused(404, "GET", "/quality/accuracy?project=Cats")
    await world.mia.refused(400, "GET", "/quality/accuracy?labeler_emails=nobody@example.com")
    await world.mia.refused(400, "GET", "/quality/accuracy?next_token=abc")


async def test_who_falls_below_the_bound_is_paused_and_the_managers_are_told(world: World, post_office: PostOffice):
    await project(world)
    for _ in range(6):
        await make_quality_task(world, "evaluation")
    await change_settings(world, pause_below=0.6, pause_after=3)
    for category in ("dog", "dog", "cat"):
        await answer(world.ben, category)
    assert await list_pauses(world) == [], "2 of 3 are not below 0.6"
    await answer(world.ben, "cat")
    reason = "accuracy 0.50 in 4 evaluation tasks is below 0.60"
    assert await list_pauses(world) == [(world.ben.email, reason)]
    (ben,) = (await world.ana.get("/quality/accuracy", labeler_emails=world.ben.email))["docs"]
    assert (ben["paused"], ben["pause_reason"], ben["training"]["state"]) == (True, reason, "paused")
    assert await claim(world.ben) is None
    assert await claim(world.dee) is not None
    assert await post_office.deliver() == 2
    assert sorted(mail[0] for mail in post_office.mails) == [world.ana.email, world.max.email]
    _, subject, text = post_office.mails[0]
    assert subject == f"{world.ben.email} is paused in Pets: {reason}"
    told = json.loads(text.splitlines()[2])
    assert told == {**json.loads(PAYLOADS.read_text())["pause"], "paused_at": ben["paused_at"]}
    assert {each["event"] for each in (await world.ana.get("/callbacks"))["docs"]} == {"labeler.paused"}
    await lift_pause(world, world.ben)
    (ben,) = (await world.ana.get("/quality/accuracy", labeler_emails=world.ben.email))["docs"]
    assert (ben["evaluated"], ben["paused"]) == (0, False)
    for _ in range(2):
        await answer(world.ben, "cat")
    assert await list_pauses(world) == [], "what was before the lift does not count, and 2 are too few"
    check(await world.db.read(snapshot))


async def test_a_pause_lets_people_finish_what_they_hold(world: World):
    name = await project(world)
    await batch(world, name, tasks=3)
    await project(world, "Birds", people=(world.ben,))
    await batch(world, "Birds", "Nests")
    held = await claim(world.ben, project=name)
    assert held is not None
    body = {"project": name, "emails": [world.ben.email, world.dee.email], "reason": "let us talk"}
    added = await world.mia.post("/quality/pauses/add", body)
    assert [(each["labeler_email"], each["reason"]) for each in added["docs"]] == [
        (world.ben.email, "let us talk"),
        (world.dee.email, "let us talk"),
    ]
    again = await world.mia.post("/quality/pauses/add", {**body, "reason": "another"})
    assert again == added
    await world.ben.post(f"/work/{held['claim_id']}/extend")
    await world.ben.post(f"/work/{held['claim_id']}/submit", {"response": {"category": "cat"}})
    assert await claim(world.ben, project=name) is None
    assert (await claim(world.ben) or {})["task"]["project"] == "Birds"
    assert await claim(world.dee) is None
    assert [each["event"] for each in (await world.ana.get("/callbacks"))["docs"]] == [], "they did it themselves"
    for _ in range(2):
        assert await world.mia.post("/quality/pauses/lift", {"project": name, "emails": [world.dee.email]}) == {
            "docs": []
        }
    assert await claim(world.dee) is not None
    assert await list_pauses(world) == [(world.ben.email, "let us talk")]


async def test_a_pause_survives_disabling(world: World):
    name = await project(world, people=(world.ben,))
    await batch(world, name)
    await world.ana.post("/quality/pauses/add", {"project": name, "emails": [world.ben.email]})
    await world.ana.post("/teams/disable", {"emails": [world.ben.email]})
    await world.ana.post("/teams/set_role", {"emails": [world.ben.email], "team_role": "labeler"})
    assert await list_pauses(world) == [(world.ben.email, f"paused by {world.ana.email}")]


async def test_only_people_of_the_project_can_be_paused(world: World):
    name = await project(world, people=(world.ben,))
    for what in ("add", "lift"):
        path = f"/quality/pauses/{what}"
        both = [world.ben.email, world.dee.email]
        assert "dee@" in await world.ana.refused(400, "POST", path, {"project": name, "emails": both})
        assert "Cats" in await world.ana.refused(400, "POST", path, {"project": "Cats", "emails": both})
        await world.ana.refused(400, "POST", path, {"project": name, "emails": ["nobody@example.com"]})
        await world.ana.refused(400, "POST", path, {"project": name, "emails": []})
    assert await list_pauses(world) == []


async def test_a_claim_at_the_moment_of_a_pause_is_before_it_or_is_not(world: World):
    name = await project(world, people=(world.ben,))
    await batch(world, name, tasks=20)
    body: dict[str, Any] = {"project": name, "emails": [world.ben.email]}
    for _ in range(8):
        pause, claimed = await asyncio.gather(
            world.ana.call("POST", "/quality/pauses/add", body), world.ben.call("POST", "/work/claim")
        )
        assert pause.status_code == 200
        if claimed.status_code == 200:
            await world.ben.post(f"/work/{claimed.json()['claim_id']}/submit", {"response": {"category": "cat"}})
        assert await claim(world.ben) is None
        await lift_pause(world, world.ben)


@pytest.mark.parametrize("way", ["short", "general"])
async def test_a_claim_waits_for_a_pause_that_is_being_made(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch, way: str
):
    """On PostgreSQL, where both are at work at the same time; SQLite has one writer."""
    if world.db.engine != "postgresql":
        return
    if way == "general":
        monkeypatch.setattr(fast_path, "claim_on_postgresql", nothing_at_once)
    name = await project(world, people=(world.ben,))
    await batch(world, name, tasks=2)
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("UPDATE assignments SET paused_at = 1, pause_reason = 'late'")
            claiming = asyncio.create_task(claim(world.ben))
            done, _ = await asyncio.wait([claiming], timeout=0.3)
            assert not done, "it did not wait"
        assert await claiming is None
    finally:
        await connection.close()


async def nothing_at_once(*_: object) -> None:
    """What the short way answers where it has done nothing."""
