"""The queue of Studio batches: who may work on them, and in which order."""

import asyncio
from typing import Any

from tests.batches.test_batches import batch, count, project, projects_default
from tests.world import World, ok

BEN, DEE = "ben@example.com", "dee@example.com"
SET, RESET = "/studio/batches/set_priorities", "/studio/batches/reset_priorities"


async def pending(world: World, *names: str, **body: Any) -> None:
    """Finalized batches of the project Dogs, each with a task to do."""
    for name in names:
        await batch(world, name, **body)
        await count(world, name, pending=1)
        await world.ana.post(f"/batches/{name}/finalize")


async def staffed(world: World, *names: str) -> None:
    """Projects with Ben and Dee, and a group "Night" of Ben."""
    for name in names or ("Dogs",):
        await project(world, name)
        await world.ana.post("/studio/assignments/add", {"emails": [BEN, DEE], "projects": [name]})
        await world.ana.post(f"/studio/projects/{name}/groups", {"name": "Night", "emails": [BEN]})


async def order(world: World, **filters: str) -> list[str]:
    return [listed["name"] for listed in await world.ana.get("/studio/batches", **filters)]


async def test_a_pending_batch_shows_what_it_is(world: World) -> None:
    await staffed(world)
    await batch(world, "staged")
    await batch(world, "Monday", self_label_batch=True)
    await count(world, "Monday", pending=3)
    await count(world, "Monday", pending=-2, completed=1, canceled=1)
    await world.ana.post("/batches/Monday/finalize")
    assigned = await world.ana.post("/studio/batches/Monday", {"groups": [DEE, "Night"]})
    assert assigned == {
        "id": (await world.ana.get("/batches/Monday"))["id"],
        "name": "Monday",
        "projectId": (await world.ana.get("/projects/Dogs"))["id"],
        "projectName": "Dogs",
        "batchType": "SelfLabel",
        "studioPriority": 1,
        "total": 3,
        "completed": 1,
        "groups": [DEE, "Night"],
    }
    assert await world.mia.get("/studio/batches") == [assigned]


async def test_batches_queue_in_the_order_of_their_finalization_calibration_first(world: World) -> None:
    await project(world)
    await pending(world, "a", "b")
    await pending(world, "x", "y", calibration_batch=True)
    await pending(world, "c")
    listed = await world.ana.get("/studio/batches")
    assert [each["name"] for each in listed] == ["x", "y", "a", "b", "c"]
    assert [each["studioPriority"] for each in listed] == [1, 2, 3, 4, 5]
    assert [each["batchType"] for each in listed][:3] == ["Calibration", "Calibration", "Production"]
    await world.ana.post(SET, {"batches": ["c", "a", "x"]})
    await pending(world, "z", calibration_batch=True)
    await pending(world, "d")
    assert await order(world) == ["c", "a", "x", "y", "z", "b", "d"]


async def test_the_named_batches_come_first_and_the_rest_keep_their_order(world: World) -> None:
    await project(world)
    await pending(world, "a", "b", "c", "d")
    answer = await world.ana.post(SET, {"batches": [{"name": "d"}, "b"]})
    assert [each["name"] for each in answer] == ["d", "b", "a", "c"]
    assert await world.ana.get("/studio/batches") == answer
    assert [each["name"] for each in await world.ana.post(SET, {"batches": []})] == ["d", "b", "a", "c"]
    assert [each["name"] for each in await world.ana.post(SET, batches="c,a")] == ["c", "a", "d", "b"]
    whole = await world.ana.post(SET, {"batches": list(reversed(answer))})
    assert [each["name"] for each in whole] == ["c", "a", "b", "d"]
    assert [each["name"] for each in await world.ana.post(RESET)] == ["a", "b", "c", "d"]


BAD_ORDERS: list[tuple[dict[str, Any], str]] = [
    ({"batches": ["b", "unknown"]}, "unknown"),
    ({"batches": ["b", "staged"]}, "staged"),
    ({"batches": ["b", "done"]}, "done"),
    ({"batches": ["b", {"name": "b"}]}, "'b'"),
    ({"batches": [{"id": "b"}]}, "batches"),
    ({"batches": [1]}, "batches"),
    ({}, "batches"),
    ({"batches": ["b"], "group": "Day"}, "Day"),
    ({"batches": ["b"], "project": "Cats"}, "Cats"),
    ({"batches": ["b"], "group": "Night"}, "'b'"),
    ({"batches": [], "group": "Day"}, "Day"),
]


async def test_a_bad_order_is_refused_and_nothing_moves(world: World) -> None:
    await staffed(world)
    await pending(world, "a", "b", "c")
    await batch(world, "staged")
    await batch(world, "done")
    await world.ana.post("/batches/done/finalize")
    await world.ana.post("/studio/batches/a", {"groups": ["Night"]})
    for body, named in BAD_ORDERS:
        assert named in await world.ana.refused(400, "POST", SET, body)
        assert await order(world) == ["a", "b", "c"]


async def test_a_groups_batches_trade_places_among_themselves(world: World) -> None:
    await staffed(world, "Dogs", "Cats")
    await pending(world, "a", "b", "c")
    await pending(world, "d", "e", project="Cats")
    for name in ("b", "c", "d", "e"):
        await world.ana.post(f"/studio/batches/{name}", {"groups": ["Night"]})
    await world.ana.post("/studio/batches/c", {"groups": [DEE]})
    assert await order(world, group="Night") == ["b", "d", "e"]
    assert await order(world, group="Night", project="Cats") == ["d", "e"]
    assert await order(world, project="Dogs") == ["a", "b", "c"]
    assert await order(world, group="DEE@example.com") == ["c"]
    assert [each["studioPriority"] for each in await world.ana.get("/studio/batches", group="Night")] == [2, 4, 5]
    answer = await world.ana.post(SET, {"batches": ["e", "b"], "group": "Night"})
    assert [each["name"] for each in answer] == ["a", "e", "c", "b", "d"]
    await world.ana.refused(400, "POST", SET, {"batches": ["b"], "group": "Night", "project": "Cats"})
    answer = await world.ana.post(SET, {"batches": ["d"], "group": "Night", "project": "Cats"})
    assert [each["name"] for each in answer] == ["a", "d", "c", "b", "e"]
    answer = await world.ana.post(RESET, {"group": "Night"})
    assert [each["name"] for each in answer] == ["a", "b", "c", "d", "e"]


async def test_a_reset_with_a_group_leaves_the_others_where_they_are(world: World) -> None:
    await staffed(world)
    await pending(world, "a", "b", "c", "d")
    await pending(world, "x", calibration_batch=True)
    for name in ("a", "d", "x"):
        await world.ana.post(f"/studio/batches/{name}", {"groups": ["Night"]})
    await world.ana.post(SET, {"batches": ["d", "c", "b", "a", "x"]})
    answer = await world.ana.post(RESET, group="Night")
    assert [each["name"] for each in answer] == ["x", "c", "b", "a", "d"]
    assert [each["name"] for each in await world.ana.post(RESET)] == ["x", "a", "b", "c", "d"]
    assert "Day" in await world.ana.refused(400, "POST", RESET, {"group": "Day"})


async def test_unknown_filters_are_not_found(world: World) -> None:
    await staffed(world)
    await pending(world, "a")
    for filters in ("project=Birds", "group=Day", "group=nobody@example.com", "project=Dogs&group=Day"):
        await world.ana.refused(404, "GET", f"/studio/batches?{filters}")
    assert await order(world, group="Night") == []
    assert await world.cid.get("/studio/batches") == []
    assert await world.ana.get("/studio/batches", mode="test") == []


async def test_the_groups_of_a_batch_are_set_not_added_to(world: World) -> None:
    await staffed(world)
    await world.ana.post("/studio/projects/Dogs/groups", {"name": "Day, early", "emails": [DEE]})
    await pending(world, "a")
    path = "/studio/batches/a"
    assert (await world.ana.post(path, {"groups": ["Night", "Day, early"]}))["groups"] == ["Night", "Day, early"]
    assert ok(await world.ana.call("PUT", path, {"group": "Day, early"}))["groups"] == ["Day, early"]
    assert (await world.ana.post(path, {"groups": [BEN, "Night", "BEN@example.com"]}))["groups"] == [BEN, "Night"]
    assert (await world.ana.post(path, groups=f"{DEE},Night"))["groups"] == [DEE, "Night"]
    assert ok(await world.ana.call("POST", f"{path}?group=Night&group=Day, early"))["groups"] == ["Night", "Day, early"]
    assert (await world.ana.post(path, {"groups": []}))["groups"] == []


UNFIT: list[tuple[dict[str, Any], str]] = [
    ({}, "groups"),
    ({"groups": None}, "groups"),
    ({"groups": ["Night", "Day"]}, "Day"),
    ({"groups": ["Night", "mia@example.com"]}, "mia@example.com"),
    ({"groups": [DEE, "nobody@example.com"]}, "nobody@example.com"),
    ({"groups": ["Cats only"]}, "Cats only"),
    ({"groups": ["Night"], "group": [DEE]}, "groups"),
]


async def test_a_batch_given_to_somebody_unfit_stays_with_those_who_had_it(world: World) -> None:
    await staffed(world, "Dogs", "Cats")
    await world.ana.post("/studio/projects/Cats/groups", {"name": "Cats only", "emails": [BEN]})
    await pending(world, "a")
    before = await world.ana.post("/studio/batches/a", {"groups": ["Night"]})
    for body, named in UNFIT:
        assert named in await world.ana.refused(400, "POST", "/studio/batches/a", body)
        assert await world.ana.get("/studio/batches") == [before]
        assert [group["name"] for group in await world.ana.get("/studio/projects/Dogs/groups")] == ["Night"]


async def test_a_batch_can_be_given_to_groups_before_and_after_it_is_pending(world: World) -> None:
    await staffed(world)
    await batch(world, "a")
    staged = await world.ana.post("/studio/batches/a", {"groups": ["Night"]})
    assert "studioPriority" not in staged
    await world.ana.post("/batches/a/finalize")
    done = await world.ana.post("/studio/batches/a", {"groups": []})
    assert ("studioPriority" in done, done["groups"]) == (False, [])
    await world.ana.post("/projects", {"name": "Plain", "type": "categorization"})
    await world.ana.post("/batches", {"name": "plain", "project": "Plain"})
    assert "Studio" in await world.ana.refused(400, "POST", "/studio/batches/plain", {"groups": []})


async def test_one_batch_can_be_moved_to_a_place(world: World) -> None:
    await project(world)
    await pending(world, "a", "b", "c")
    assert (await world.ana.post("/batches/c/prioritize"))["name"] == "c"
    assert await order(world) == ["c", "a", "b"]
    await world.ana.post("/batches/c/prioritize", {"priority": 2})
    assert await order(world) == ["a", "c", "b"]
    await world.ana.post("/batches/a/prioritize", priority=99)
    assert await order(world) == ["c", "b", "a"]
    await world.ana.refused(400, "POST", "/batches/a/prioritize", {"priority": 0})
    await batch(world, "staged")
    assert "staging" in await world.ana.refused(400, "POST", "/batches/staged/prioritize")


async def test_a_default_batch_queues_like_any_other(world: World) -> None:
    await project(world)
    await pending(world, "a")
    await projects_default(world, 1)
    await pending(world, "b")
    assert await order(world) == ["a", "Dogs (default)", "b"]
    await world.ana.post(SET, {"batches": ["Dogs (default)"]})
    assert await order(world) == ["Dogs (default)", "a", "b"]


async def test_orders_given_at_the_same_time_leave_every_batch_one_place(world: World) -> None:
    await project(world)
    names = ["a", "b", "c", "d"]
    await pending(world, *names)
    for name in ("x", "y", "z"):
        await batch(world, name, calibration_batch=name == "x")
        await count(world, name, pending=1)
    await asyncio.gather(
        *(world.ana.post(SET, {"batches": [name]}) for name in names),
        *(world.ana.post(f"/batches/{name}/finalize") for name in ("x", "y", "z")),
        world.ana.post(RESET),
    )
    listed = await world.ana.get("/studio/batches")
    assert sorted(each["name"] for each in listed) == ["a", "b", "c", "d", "x", "y", "z"]
    assert [each["studioPriority"] for each in listed] == list(range(1, 8))
    assert (await world.ana.post(RESET))[0]["name"] == "x"
