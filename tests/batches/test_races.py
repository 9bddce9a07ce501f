"""Two overlapping transactions on batches."""

import asyncio

from refonte_studio.batches import service
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Role
from tests.batches.test_batches import batch, count, project
from tests.batches.test_queue import order, pending
from tests.transaction_gate import closed_gate
from tests.world import World


def ana(world: World) -> Caller:
    return Caller(world.ana.team_id, world.ana.id, world.ana.email, Role.ADMIN, "live")


async def test_finalizing_waits_for_tasks_that_are_being_added(world: World, database_url: str) -> None:
    await project(world)
    await batch(world)
    async with closed_gate(database_url) as gate:

        async def add(tx: Tx) -> None:
            found = await service.find(tx, world.ana.team_id, "live", "Monday")
            await service.open_for_tasks(tx, found)
            await gate.wait(tx)
            await service.add_counts(tx, found.team_id, found.id, pending=1)

        _, finalized = await gate.during(world.db.write(add), world.ana.post("/batches/Monday/finalize"))
    assert finalized["status"] == "in_progress"


async def test_completing_waits_for_tasks_that_are_being_added(world: World, database_url: str) -> None:
    await project(world, studio=False)
    await batch(world)
    async with closed_gate(database_url) as gate:

        async def add(tx: Tx) -> None:
            found = await service.find(tx, world.ana.team_id, "live", "Monday")
            await service.reopen(tx, await service.open_for_tasks(tx, found))
            await gate.wait(tx)
            await service.add_counts(tx, found.team_id, found.id, pending=1)

        async def settle(tx: Tx) -> bool:
            found = await service.find(tx, world.ana.team_id, "live", "Monday")
            return await service.complete_if_done(tx, await service.lock(tx, found.team_id, found.id), 0)

        _, completed = await gate.during(world.db.write(add), world.db.write(settle))
    assert not completed


async def test_a_second_order_starts_from_the_first(world: World, database_url: str) -> None:
    await project(world)
    await pending(world, "a", "b", "c")
    async with closed_gate(database_url) as gate:

        async def c_first(tx: Tx) -> None:
            await service.set_priorities(tx, ana(world), ["c"])
            await gate.wait(tx)

        body = {"batches": ["b", "a"]}
        await gate.during(world.db.write(c_first), world.ana.post("/studio/batches/set_priorities", body))
    assert await order(world) == ["b", "a", "c"]


async def test_a_finalized_batch_comes_after_the_one_that_is_just_being_finalized(
    world: World, database_url: str
) -> None:
    await project(world)
    await pending(world, "a")
    for name in ("z", "b"):
        await batch(world, name)
        await count(world, name, pending=1)
    async with closed_gate(database_url) as gate:

        async def finalize(tx: Tx) -> None:
            await service.finalize(tx, ana(world), "b", world.clock())
            await gate.wait(tx)

        await gate.during(world.db.write(finalize), world.ana.post("/batches/z/finalize"))
    assert await order(world) == ["a", "b", "z"]


async def test_two_folds_neither_wait_for_each_other_nor_count_twice(world: World, database_url: str) -> None:
    await project(world)
    await batch(world)
    await count(world, "Monday", pending=3)
    async with closed_gate(database_url) as gate:

        async def fold(tx: Tx) -> int:
            folded = await service.fold_counts(tx)
            await gate.wait(tx)
            return folded

        first = asyncio.ensure_future(world.db.write(fold))
        await gate.until_waiting(1)
        try:
            async with asyncio.timeout(10):
                second = await world.db.write(service.fold_counts)
        finally:
            await gate.open()
        assert sorted((await first, second)) == [0, 1]
    assert (await world.ana.get("/batches/Monday/status"))["pending"] == 3


async def test_a_batch_given_to_two_groups_at_once_ends_with_one_of_them(world: World, database_url: str) -> None:
    await project(world)
    await batch(world)
    await world.ana.post("/studio/assignments/add", {"emails": ["ben@example.com"], "projects": ["Dogs"]})
    await world.ana.post("/studio/projects/Dogs/groups", {"name": "Night", "emails": ["ben@example.com"]})
    async with closed_gate(database_url) as gate:

        async def give(tx: Tx) -> None:
            await service.set_groups(tx, ana(world), "Monday", ["Night", "ben@example.com"], world.clock())
            await gate.wait(tx)

        body = {"groups": ["Night"]}
        _, given = await gate.during(world.db.write(give), world.ana.post("/studio/batches/Monday", body))
    assert given["groups"] == ["Night"]
