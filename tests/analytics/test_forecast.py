"""Forecasts when batches will be finished, from recent work."""

from datetime import datetime
from typing import Any

from tests import makers
from tests.world import Person, World

HOUR_S = 3_600


async def worked(world: World, person: Person, hours: int, days: int = 3, project: str = "Pets") -> None:
    """On each of these days, the person answers a task every half hour for so many hours, and rests until the next."""
    for _ in range(days):
        for _ in range(2 * hours):
            given = await makers.claim(person, project=project)
            assert given, "there is nothing to do"
            world.clock.forward(minutes=29)
            await person.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}})
            world.clock.forward(minutes=1)
        world.clock.forward(hours=24 - hours)


def hours(found: dict[str, Any], batch: dict[str, Any], end: str = "median") -> float:
    """How many hours from now the batch is to be finished."""
    then, now = (datetime.fromisoformat(text) for text in (batch["finish_at"][end], found["now"]))
    return (then - now).total_seconds() / HOUR_S


async def test_a_batch_takes_as_long_as_its_people_have_taken(world: World):
    await makers.project(world, people=(world.ben,))
    await makers.batch(world, "Pets", "Past", tasks=12)
    await worked(world, world.ben, hours=2)
    await makers.batch(world, "Pets", "Next", tasks=7)
    await makers.batch(world, "Pets", "Later", tasks=4)
    found = await world.mia.get("/insight/forecast", project="Pets")
    first, second = found["batches"]
    assert (first["batch"], first["remaining_attempts"], first["people"]) == ("Next", 7, 1)
    assert (first["pace"], first["reason"]) == ("measured", None)
    assert 24 < hours(found, first) < 26, "four in the two hours of today, and three tomorrow"
    assert 0 <= hours(found, first, "low") <= hours(found, first) <= hours(found, first, "high")
    assert 48 < hours(found, second) < 50
    assert await world.mia.get("/insight/forecast", project="Pets") == found, "the same question, the same answer"


async def test_other_priorities_are_tried_out_without_changing_any(world: World):
    await makers.project(world)
    await makers.batch(world, "Pets", "Past", tasks=8)
    await worked(world, world.ben, hours=2, days=2)
    for name in ("One", "Two", "Three"):
        await makers.batch(world, "Pets", name, tasks=6)
    as_it_is = await world.mia.get("/insight/forecast")
    tried = await world.mia.post("/insight/forecast", {"batches": [{"name": "Three"}, "Two"]})
    assert [batch["batch"] for batch in tried["batches"]] == ["Three", "Two", "One"]
    assert hours(tried, tried["batches"][0]) < hours(as_it_is, as_it_is["batches"][2])
    assert hours(tried, tried["batches"][2]) > hours(as_it_is, as_it_is["batches"][0])
    assert await world.mia.get("/insight/forecast") == as_it_is
    await world.ana.post("/studio/batches/set_priorities", {"batches": ["Three", "Two"]})
    assert await world.mia.get("/insight/forecast") == tried, "so it comes once it is meant"
    for names, named in (
        (["Nope"], "'Nope'"),
        (["Past"], "'Past'"),
        (["One", "One"], "'One'"),
    ):
        assert named in await world.mia.refused(400, "POST", "/insight/forecast", {"batches": names})
        assert named in await world.ana.refused(400, "POST", "/studio/batches/set_priorities", {"batches": names})
    for where in ("project", "group"):
        body = {"batches": ["One"], where: "Nowhere"}
        assert "'Nowhere'" in await world.mia.refused(400, "POST", "/insight/forecast", body)
    assert (await world.cid.get("/insight/forecast"))["batches"] == []
    assert "'One'" in await world.cid.refused(400, "POST", "/insight/forecast", {"batches": ["One"]})
    assert (await world.mia.get("/insight/forecast", mode="test"))["batches"] == []


async def test_what_cannot_be_foreseen_has_its_reason(world: World):
    await makers.project(world, people=())
    await makers.batch(world, "Pets", "Nobody's", tasks=2)
    [batch] = (await world.mia.get("/insight/forecast"))["batches"]
    assert (batch["finish_at"]["median"], batch["people"], batch["reason"]) == (None, 0, "nobody may work it")
    await world.ana.post("/studio/assignments/add", {"emails": ["ben@example.com"], "projects": ["Pets"]})
    [batch] = (await world.mia.get("/insight/forecast"))["batches"]
    assert batch["pace"] is None
    assert "no pace is known" in batch["reason"]
    await makers.project(world, "Cars", wanted=3)
    await makers.batch(world, "Cars", "Three of two", tasks=2)
    await makers.answer(world.ben, project="Pets")
    world.clock.forward(hours=1)
    few = (await world.mia.get("/insight/forecast", project="Cars"))["batches"][0]
    assert few["finish_at"]["high"] is None
    assert "more different people" in few["reason"]


async def test_groups_pauses_and_the_pace_of_colleagues_count(world: World):
    await makers.project(world)
    await makers.batch(world, "Pets", "Past", tasks=4)
    await worked(world, world.ben, hours=1, days=2)
    await world.ana.post("/studio/projects/Pets/groups", {"name": "Day", "emails": ["dee@example.com"]})
    await makers.batch(world, "Pets", "Dee's", tasks=4)
    await world.ana.post("/studio/batches/Dee's", {"groups": ["Day"]})
    await makers.batch(world, "Pets", "All's", tasks=4)
    by_dee, by_all = (await world.mia.get("/insight/forecast"))["batches"]
    assert (by_dee["people"], by_dee["pace"]) == (1, "pooled"), "Dee has not worked, but Ben has"
    assert by_dee["finish_at"]["median"] is not None
    assert (by_all["people"], by_all["pace"]) == (2, "measured")
    await world.db.write(_pause, world.ana.team_id, world.dee.id)
    by_dee, by_all = (await world.mia.get("/insight/forecast"))["batches"]
    assert (by_dee["people"], by_dee["reason"]) == (0, "nobody may work it")
    assert by_all["people"] == 1
    await world.ana.post("/teams/disable", {"emails": ["ben@example.com"]})
    assert [batch["people"] for batch in (await world.mia.get("/insight/forecast"))["batches"]] == [0, 0]


async def _pause(tx: Any, team_id: str, person: str) -> None:
    await tx.run(
        "UPDATE assignments SET paused_at = 1 WHERE team_id = :team AND teammate_id = :person",
        team=team_id,
        person=person,
    )


async def test_a_task_of_several_people_wants_each_of_them(world: World):
    await makers.project(world, wanted=2)
    await makers.batch(world, "Pets", "Past", tasks=8)
    await worked(world, world.ben, hours=2, days=2)
    await worked(world, world.dee, hours=1, days=2)
    await makers.batch(world, "Pets", "Next", tasks=4)
    found = await world.mia.get("/insight/forecast")
    past, following = found["batches"]
    assert (past["remaining_attempts"], following["remaining_attempts"]) == (4, 8)
    assert hours(found, past) > 23, "Dee alone can do what is left, two a day"
    assert hours(found, following) > hours(found, past)
