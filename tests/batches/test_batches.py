"""Batches: creation, states, counts, lists."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from refonte_studio.batches import service
from refonte_studio.batches.model import Counts
from refonte_studio.db import Tx
from refonte_studio.kit.errors import BadInput
from refonte_studio.projects import service as projects
from tests.tasks.makers import CATEGORIZATION
from tests.world import Person, World


async def project(world: World, name: str = "Dogs", **body: Any) -> None:
    await world.ana.post("/projects", {"name": name, "type": "categorization", "studio": True, **body})


async def batch(world: World, name: str = "Monday", **body: Any) -> Any:
    world.clock.forward(seconds=1)
    return await world.ana.post("/batches", {"project": "Dogs", "name": name, **body})


async def count(world: World, name: str, **changes: int) -> None:
    """Has the batch's counts change as if tasks had come or gone."""

    async def change(tx: Tx) -> None:
        found = await service.find(tx, world.ana.team_id, "live", name)
        await service.add_counts(tx, found.team_id, found.id, **changes)

    await world.db.write(change)


async def test_a_batch_of_a_studio_project_starts_in_staging_and_is_finalized_once(world: World) -> None:
    await project(world)
    made = await batch(world, metadata={"week": 1}, callback="https://example.com/done")
    assert made == {
        "id": made["id"],
        "name": "Monday",
        "project": "Dogs",
        "status": "staging",
        "created_at": "2026-02-02T02:40:01.000Z",
        "metadata": {"week": 1},
        "callback": "https://example.com/done",
        "calibration_batch": False,
        "self_label_batch": False,
    }
    assert await world.mia.get("/batches/Monday") == made
    await count(world, "Monday", pending=2)
    world.clock.forward(minutes=1)
    finalized = await world.ana.post("/batches/Monday/finalize")
    assert finalized == {**made, "status": "in_progress", "finalized_at": "2026-02-02T02:41:01.000Z"}
    world.clock.forward(minutes=1)
    assert await world.ana.post("/batches/Monday/finalize") == finalized


async def test_an_empty_batch_is_completed_by_its_finalization(world: World) -> None:
    await project(world)
    await batch(world)
    finalized = await world.ana.post("/batches/Monday/finalize")
    assert finalized["status"] == "completed"
    assert finalized["completed_at"] == finalized["finalized_at"]
    world.clock.forward(minutes=1)
    assert await world.ana.post("/batches/Monday/finalize") == finalized
    assert await world.ana.get("/studio/batches") == []


async def test_a_batch_of_another_project_is_in_progress_from_the_start(world: World) -> None:
    await project(world, studio=False)
    assert (await batch(world))["status"] == "in_progress"
    assert (await world.ana.post("/batches/Monday/finalize"))["status"] == "in_progress"
    assert await world.ana.get("/studio/batches") == []


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"project": "Unicorns"}, "Unicorns"),
    ({"project": None}, "project"),
    ({"name": ""}, "name"),
    ({"name": "x" * 201}, "201"),
    ({"name": "a\tb"}, "\\t"),
    ({"name": "set_priorities"}, "set_priorities"),
    ({"name": "reset_priorities"}, "reset_priorities"),
    ({"calibration_batch": True, "self_label_batch": True}, "calibration_batch"),
    ({"callback": "ftp://example.com"}, "ftp://example.com"),
    ({"callback": "nonsense"}, "nonsense"),
    ({"callback": "http://"}, "http://"),
    ({"callback": "http://example.com:99999/"}, "99999"),
    ({"callback": "https://exa mple.com/"}, "exa mple"),
    ({"metadata": [1]}, "metadata"),
    ({"colour": 1}, "colour"),
]


async def test_a_malformed_batch_is_refused_and_not_made(world: World) -> None:
    await project(world)
    for change, named in MALFORMED:
        body = {"project": "Dogs", "name": "Monday", **change}
        assert named in await world.ana.refused(400, "POST", "/batches", body)
        assert (await world.ana.get("/batches"))["totalDocs"] == 0


CALLBACKS = ["", "lead@example.com", "http://10.0.0.1:8080/x?y=1", "https://[::1]/"]


async def test_a_callback_is_nothing_an_address_or_a_url(world: World) -> None:
    await project(world)
    for callback in CALLBACKS:
        assert (await batch(world, f"batch {callback}", callback=callback)).get("callback", "") == callback


async def test_a_batchs_name_is_taken_once_in_a_team_and_mode(world: World) -> None:
    await project(world)
    await project(world, "Cats")
    body = {"project": "Dogs", "name": "Monday"}
    answers = await asyncio.gather(*(world.ana.call("POST", "/batches", body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert "Monday" in await world.ana.refused(409, "POST", "/batches", {**body, "project": "Cats"})
    await world.ana.post("/projects", {"name": "Dogs", "type": "categorization"}, mode="test")
    await world.ana.post("/batches", body, mode="test")


NAMES = ["a/b c", "Ⅳ. Woche?", "finalize", "50% #1", "a,b"]


async def test_a_batchs_name_may_hold_any_characters(world: World) -> None:
    await project(world)
    for name in NAMES:
        await batch(world, name)
        path = f"/batches/{quote(name, safe='')}"
        assert (await world.ana.get(path))["name"] == name
        assert (await world.ana.post(f"{path}/finalize"))["name"] == name
        assert (await world.ana.get(f"{path}/status"))["status"] == "completed"


async def test_other_teams_and_modes_batches_do_not_exist(world: World) -> None:
    await project(world)
    await batch(world)
    calls = [
        ("GET", "/batches/Monday"),
        ("GET", "/batches/Monday/status"),
        ("POST", "/batches/Monday/finalize"),
        ("POST", "/batches/Monday/setMetadata"),
        ("POST", "/batches/Monday/prioritize"),
        ("PUT", "/studio/batches/Monday"),
    ]
    for method, path in calls:
        assert "Monday" in await world.cid.refused(404, method, path)
        assert "Monday" in await world.ana.refused(404, method, path, mode="test")
        await world.ben.refused(403, method, path)
    assert (await world.cid.get("/batches"))["docs"] == []


async def test_the_status_counts_tasks_by_state_before_and_after_folding(world: World) -> None:
    await project(world)
    await batch(world)
    await count(world, "Monday", pending=5)
    await count(world, "Monday", pending=-2, completed=2)
    await count(world, "Monday", pending=-1, canceled=1)
    expected = {"status": "staging", "pending": 2, "completed": 2, "canceled": 1, "error": 0}
    assert await world.ana.get("/batches/Monday/status") == expected
    assert await world.db.write(service.fold_counts) == 3
    assert await world.ana.get("/batches/Monday/status") == expected
    await count(world, "Monday", pending=-2, completed=2)
    assert await world.db.write(service.fold_counts) == 1
    assert await world.db.write(service.fold_counts) == 0
    assert await world.ana.get("/batches/Monday/status") == {**expected, "pending": 0, "completed": 4}


async def test_folding_in_several_places_at_once_counts_everything_once(world: World) -> None:
    await project(world)
    names = ["a", "b", "c"]
    for name in names:
        await batch(world, name)
    await asyncio.gather(
        *(count(world, name, pending=2) for name in names * 20),
        *(world.db.write(service.fold_counts) for _ in range(10)),
    )
    await asyncio.gather(*(world.db.write(service.fold_counts) for _ in range(5)))
    ids = {name: (await world.ana.get(f"/batches/{name}"))["id"] for name in names}
    counts = await world.db.read(service.counts, [*ids.values(), "0" * 24])
    assert counts == {**dict.fromkeys(ids.values(), Counts(pending=40)), "0" * 24: Counts()}


async def test_metadata_is_set_whole(world: World) -> None:
    await project(world)
    await batch(world, metadata={"a": 1})
    assert (await world.ana.post("/batches/Monday/setMetadata", {"b": [{"c": None}]}))["metadata"] == {
        "b": [{"c": None}]
    }
    assert (await world.ana.get("/batches/Monday"))["metadata"] == {"b": [{"c": None}]}
    assert "'b'" in await world.ana.refused(400, "POST", "/batches/Monday/setMetadata", {})
    assert "clear=true" in await world.ana.refused(400, "POST", "/batches/Monday/setMetadata?clear=true", {"c": 1})
    assert (await world.ana.post("/batches/Monday/setMetadata", clear="true"))["metadata"] == {}
    assert (await world.ana.post("/batches/Monday/setMetadata", {}))["metadata"] == {}
    await world.ana.refused(400, "POST", "/batches/Monday/setMetadata", [1])
    await world.ana.refused(404, "POST", "/batches/Tuesday/setMetadata", [1])


async def test_batches_are_listed_newest_first_by_page_and_filter(world: World) -> None:
    await project(world)
    await project(world, "Cats")
    for number in range(5):
        await batch(world, f"batch {number}", project="Dogs" if number else "Cats")
    await world.ana.post("/batches/batch 4/finalize")
    first = await world.ana.get("/batches", limit=2)
    assert [doc["name"] for doc in first["docs"]] == ["batch 4", "batch 3"]
    assert (first["totalDocs"], first["limit"], first["offset"], first["has_more"]) == (5, 2, 0, True)
    last = await world.ana.get("/batches", limit=2, offset=4)
    assert [(doc["name"], doc["project"]) for doc in last["docs"]] == [("batch 0", "Cats")]
    assert (last["totalDocs"], last["offset"], last["has_more"]) == (5, 4, False)
    assert (await world.ana.get("/batches", offset=9))["docs"] == []

    async def names(**filters: Any) -> list[str]:
        found = await world.ana.get("/batches", **filters)
        assert found["totalDocs"] == len(found["docs"])
        return [doc["name"] for doc in found["docs"]]

    assert await names(project="Cats") == ["batch 0"]
    assert await names(status="completed") == ["batch 4"]
    assert await names(status="staging", project="Dogs", exclude_archived="False") == ["batch 3", "batch 2", "batch 1"]
    assert await names(start_time="2026-02-02T02:40:04Z") == ["batch 4", "batch 3"]
    assert await names(end_time="2026-02-02 02:40:02.000000") == ["batch 1", "batch 0"]
    assert "Birds" in await world.ana.refused(404, "GET", "/batches?project=Birds&status=lost&start_time=x")
    for query in ("status=lost", "limit=0", "limit=101", "offset=-1", "start_time=yesterday", "colour=red"):
        await world.ana.refused(400, "GET", f"/batches?{query}")


@pytest.mark.parametrize("by", ["offset", "next_token"])
async def test_a_batch_made_between_two_pages_repeats_and_hides_nothing(world: World, by: str) -> None:
    await project(world)
    for number in range(5):
        await batch(world, f"batch {number}")
    seen: list[str] = []
    place: dict[str, Any] = {"offset": 0} if by == "offset" else {}
    page = None
    while page is None or page["has_more"]:
        page = await world.ana.get("/batches", limit=2, **place)
        seen += [doc["name"] for doc in page["docs"]]
        await batch(world, f"late {len(seen)}")
        place = {"offset": len(seen)} if by == "offset" else {"next_token": page.get("next_token")}
    assert seen == [f"batch {number}" for number in range(4, -1, -1)]


async def test_an_offset_follows_only_the_pages_of_the_same_list_reader_and_time(world: World) -> None:
    await project(world)
    for number in range(4):
        await batch(world, f"batch {number}")

    async def second(person: Person = world.ana, **filters: Any) -> str:
        return (await person.get("/batches", limit=1, offset=2, **filters))["docs"][0]["name"]

    await world.ana.get("/batches", limit=2, offset=0)
    await batch(world, "late")
    assert await second() == "batch 1", "right behind the page before"
    assert await second(world.max) == "batch 2", "who has read no page counts from the newest"
    assert await second(project="Dogs") == "batch 2"
    assert (await world.ana.get("/batches", limit=1, offset=1))["docs"][0]["name"] == "batch 3"
    world.clock.forward(minutes=10)
    assert await second() == "batch 2", "a page before is forgotten after ten minutes"
    assert "next_token" in await world.ana.refused(400, "GET", f"/batches?offset=2&next_token={'0' * 24}")
    assert "not one that this server gave" in await world.ana.refused(400, "GET", "/batches?next_token=zz")


async def test_a_detailed_list_counts_the_tasks_of_each_batch(world: World) -> None:
    await project(world)
    await batch(world, "Monday")
    for _ in range(3):
        made = await world.ana.post("/task/categorization", {**CATEGORIZATION, "project": "Dogs", "batch": "Monday"})
    await world.ana.post(f"/task/{made['task_id']}/cancel")
    plain = (await world.ana.get("/batches"))["docs"][0]
    assert not any(name.startswith("tasks_") for name in plain)
    detailed = (await world.ana.get("/batches", detailed="true"))["docs"][0]
    assert detailed == {**plain, "tasks_pending": 2, "tasks_completed": 0, "tasks_canceled": 1, "tasks_error": 0}


async def test_finalizing_a_batch_that_is_not_a_studio_batch_does_nothing(world: World) -> None:
    await world.ana.post("/projects", {"name": "Plain", "type": "categorization"})
    made = await world.ana.post("/batches", {"project": "Plain", "name": "Monday"})
    assert await world.ana.post("/batches/Monday/finalize") == made
    assert await world.ana.get("/batches/Monday") == made
    await world.ana.post("/task/categorization", {**CATEGORIZATION, "project": "Plain", "batch": "Monday"})


async def test_a_projects_default_batch_comes_into_being_once_and_evades_a_taken_name(world: World) -> None:
    await project(world)
    await batch(world, "Dogs (default)")
    found = await projects_default(world, 6)
    assert {each.id for each in found} == {found[0].id}
    assert (found[0].name, found[0].state, found[0].is_default) == ("Dogs (default 2)", "in_progress", True)
    (listed,) = await world.ana.get("/studio/batches")
    assert (listed["name"], listed["studioPriority"]) == ("Dogs (default 2)", 1)
    finalized = await world.ana.post("/batches/Dogs%20(default%202)/finalize")
    assert finalized["status"] == "in_progress"
    await projects_default(world, 1)


async def projects_default(world: World, times: int) -> list[Any]:
    async def ask(tx: Tx) -> Any:
        found = await projects.find(tx, world.ana.team_id, "live", "Dogs")
        return await service.open_for_tasks(tx, await service.default_batch(tx, found, world.clock()))

    return await asyncio.gather(*(world.db.write(ask) for _ in range(times)))


async def test_a_finalized_studio_batch_takes_no_more_tasks(world: World) -> None:
    async def add(tx: Tx) -> str:
        found = await service.find(tx, world.ana.team_id, "live", "Monday")
        await service.open_for_tasks(tx, found)
        await service.add_counts(tx, found.team_id, found.id, pending=1)
        return "added"

    await project(world)
    await batch(world)
    additions = [world.db.write(add) for _ in range(8)]
    answers = await asyncio.gather(*additions, world.ana.post("/batches/Monday/finalize"), return_exceptions=True)
    added = sum(answer == "added" for answer in answers)
    refused = sum(isinstance(answer, BadInput) for answer in answers)
    assert added + refused == 8
    status = await world.ana.get("/batches/Monday/status")
    assert status["pending"] == added
    assert status["status"] == ("in_progress" if added else "completed")
    with pytest.raises(BadInput, match="Monday"):
        await world.db.write(add)


async def test_another_projects_batch_completes_and_is_reopened(world: World) -> None:
    async def settle(tx: Tx) -> bool:
        found = await service.find(tx, world.ana.team_id, "live", "Monday")
        return await service.complete_if_done(tx, await service.lock(tx, found.team_id, found.id), world.clock())

    async def add(tx: Tx) -> str:
        found = await service.find(tx, world.ana.team_id, "live", "Monday")
        reopened = await service.reopen(tx, await service.open_for_tasks(tx, found))
        await service.add_counts(tx, found.team_id, found.id, pending=1)
        return reopened.state

    await project(world, studio=False)
    await batch(world)
    assert await world.db.write(add) == "in_progress"
    assert not await world.db.write(settle)
    await count(world, "Monday", pending=-1, completed=1)
    assert await world.db.write(settle)
    assert not await world.db.write(settle)
    completed = await world.ana.get("/batches/Monday")
    assert completed["status"] == "completed"
    assert "completed_at" in completed
    assert await world.db.write(add) == "in_progress"
    reopened = await world.ana.get("/batches/Monday")
    assert reopened["status"] == "in_progress"
    assert "completed_at" not in reopened
