"""Changes that a manager makes to one task."""

import asyncio

import pytest

from tests import makers
from tests.tasks.makers import CATEGORIZATION, batch_status
from tests.world import World


async def created(world: World, **given: object) -> str:
    return (await world.ana.post("/task/categorization", {**CATEGORIZATION, **given}))["task_id"]


async def completed(world: World) -> str:
    """A task that Ben has completed."""
    await makers.project(world)
    [task] = await makers.batch(world, "Pets")
    await makers.answer(world.ben)
    return task


async def test_a_pending_task_can_be_canceled_once(world: World) -> None:
    task = await created(world, unique_id="one")
    world.clock.forward(minutes=1)
    canceled = await world.ana.post(f"/task/{task}/cancel")
    assert (canceled["status"], canceled["unique_id"]) == ("canceled", "one")
    assert canceled["updated_at"] > canceled["created_at"]
    assert await world.ana.post(f"/task/{task}/cancel") == canceled, "a second time, nothing changes"
    status = await batch_status(world, "default%20(default)")
    assert (status["canceled"], status.get("pending", 0)) == (1, 0)
    await world.ana.refused(409, "POST", "/task/categorization", {**CATEGORIZATION, "unique_id": "one"})


@pytest.mark.parametrize("by_query", [True, False])
async def test_canceling_can_free_the_unique_id(world: World, by_query: bool) -> None:
    task = await created(world, unique_id="one")
    options = {"params": {"clear_unique_id": "true"}} if by_query else {}
    body = None if by_query else {"clear_unique_id": True}
    answer = await world.ana.call("POST", f"/task/{task}/cancel", body, **options)
    assert "unique_id" not in answer.json()
    await created(world, unique_id="one")


async def test_canceling_again_frees_the_unique_id_that_was_kept(world: World) -> None:
    task = await created(world, unique_id="one")
    await world.ana.post(f"/task/{task}/cancel")
    assert "unique_id" not in await world.ana.post(f"/task/{task}/cancel", {"clear_unique_id": True})
    await created(world, unique_id="one")


async def test_a_completed_task_cannot_be_canceled(world: World) -> None:
    task = await completed(world)
    assert "completed" in await world.ana.refused(400, "POST", f"/task/{task}/cancel")


async def test_canceling_a_task_ends_the_claim_on_it(world: World) -> None:
    await makers.project(world)
    [task] = await makers.batch(world, "Pets")
    claim = await makers.claim(world.ben)
    assert claim is not None
    await world.ana.post(f"/task/{task}/cancel")
    await world.ben.refused(409, "POST", f"/work/{claim['claim_id']}/submit", {"response": {"category": "cat"}})
    assert (await batch_status(world, "Monday"))["status"] == "completed"


async def test_a_task_canceled_twice_at_once_is_counted_once(world: World) -> None:
    task = await created(world)
    answers = await asyncio.gather(*[world.ana.call("POST", f"/task/{task}/cancel") for _ in range(4)])
    assert [answer.json()["status"] for answer in answers] == ["canceled"] * 4
    assert (await batch_status(world, "default%20(default)"))["canceled"] == 1


async def test_audits_are_kept_and_the_last_one_decides(world: World) -> None:
    task = await completed(world)
    assert (await world.ana.get(f"/task/{task}"))["customer_review_status"] == "pending"
    await world.ana.post(f"/task/{task}/audit", {"accepted": True, "comments": None})
    world.clock.forward(minutes=1)
    audited = await world.max.post(f"/task/{task}/audit", {"accepted": False, "comments": "A fox."})
    assert audited["customer_review_status"] == "rejected"
    first, second = audited["audits"]
    assert (first["auditor"], first["accepted"]) == ("ana@example.com", True)
    assert "comments" not in first
    assert (second["auditor"], second["accepted"], second["comments"]) == ("max@example.com", False, "A fox.")
    assert (await world.ana.get("/tasks"))["docs"] == [audited]


async def test_only_a_completed_task_can_be_audited(world: World) -> None:
    task = await created(world)
    assert "pending" in await world.ana.refused(400, "POST", f"/task/{task}/audit", {"accepted": True})
    assert "accepted" in await world.ana.refused(400, "POST", f"/task/{task}/audit", {"comments": "?"})


async def test_a_unique_id_can_be_changed_and_taken_away(world: World) -> None:
    task, other = await created(world, unique_id="one"), await created(world, unique_id="two")
    changed = await world.ana.post(f"/task/{task}/unique_id", {"unique_id": "three"})
    assert changed["unique_id"] == changed["params"]["unique_id"] == "three"
    assert "'two'" in await world.ana.refused(409, "POST", f"/task/{task}/unique_id", {"unique_id": "two"})
    await world.ana.post(f"/task/{other}/unique_id", {"unique_id": "two"})
    await world.ana.refused(400, "POST", f"/task/{task}/unique_id", {"unique_id": " "})
    await world.ana.refused(400, "POST", f"/task/{task}/unique_id")
    cleared = (await world.ana.call("DELETE", f"/task/{task}/unique_id")).json()
    assert "unique_id" not in cleared
    assert "unique_id" not in cleared["params"]
    again = (await world.ana.call("DELETE", f"/task/{task}/unique_id")).json()
    assert "unique_id" not in again


async def test_metadata_is_replaced_whole(world: World) -> None:
    task = await created(world, metadata={"a": 1, "b": 2})
    changed = await world.ana.post(f"/task/{task}/setMetadata", {"b": {"deep": [3]}})
    assert changed["metadata"] == {"b": {"deep": [3]}}
    assert "'b'" in await world.ana.refused(400, "POST", f"/task/{task}/setMetadata", {})
    assert "clear=true" in await world.ana.refused(400, "POST", f"/task/{task}/setMetadata?clear=true", {"c": 1})
    assert (await world.ana.post(f"/task/{task}/setMetadata", clear="true"))["metadata"] == {}
    assert (await world.ana.post(f"/task/{task}/setMetadata", {}))["metadata"] == {}
    assert "object" in await world.ana.refused(400, "POST", f"/task/{task}/setMetadata", [1])
    await world.ana.refused(404, "POST", "/task/unknown/setMetadata", [1])


async def tags(world: World, method: str, task: str, body: object = None, **options: object) -> list[str] | None:
    response = await world.ana.call(method, f"/task/{task}/tags", body, **options)
    assert response.status_code == 200, response.text
    return response.json().get("tags")


async def test_tags_are_set_added_and_removed(world: World) -> None:
    task = await created(world, tags=["a"])
    assert await tags(world, "POST", task, ["b", "c", "b"]) == ["b", "c"]
    assert await tags(world, "PUT", task, ["c", "d, e"]) == ["b", "c", "d, e"]
    assert await tags(world, "DELETE", task, ["b", "never"]) == ["c", "d, e"]
    assert await tags(world, "POST", task) is None, "the SDK sends no body for an empty list"
    assert await tags(world, "PUT", task, {"tags": ["x"]}) == ["x"]
    assert await tags(world, "PUT", task, "y") == ["x", "y"]
    assert await tags(world, "DELETE", task, params={"tags": "x,z"}) == ["y"]
    assert await tags(world, "DELETE", task, {"tags": "y"}) is None
    assert (await world.ana.get("/tasks", tags="y"))["total"] == 0


@pytest.mark.parametrize("body", [[1], {"labels": ["a"]}, 5, [""], ["x" * 201], [str(n) for n in range(101)]])
async def test_bad_tags_are_refused(world: World, body: object) -> None:
    task = await created(world, tags=["a"])
    await world.ana.refused(400, "POST", f"/task/{task}/tags", body)
    await world.ana.refused(404, "POST", "/task/unknown/tags", body)
    assert (await world.ana.get(f"/task/{task}"))["tags"] == ["a"]


async def test_a_task_has_no_more_than_a_hundred_tags(world: World) -> None:
    task = await created(world, tags=[str(number) for number in range(99)])
    await world.ana.refused(400, "PUT", f"/task/{task}/tags", ["x", "y"])
    assert len(await tags(world, "PUT", task, ["x"]) or []) == 100


async def test_tags_added_at_once_are_all_kept(world: World) -> None:
    task = await created(world)
    await asyncio.gather(*[tags(world, "PUT", task, [str(number)]) for number in range(8)])
    assert sorted((await world.ana.get(f"/task/{task}"))["tags"]) == [str(number) for number in range(8)]
