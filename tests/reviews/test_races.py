"""Reviewers, managers and labelers at the same moment."""

import asyncio

import httpx
import pytest

from refonte_studio.db import Tx
from refonte_studio.dispatch import service as work
from refonte_studio.dispatch.service import rework
from refonte_studio.invariants.service import audit
from refonte_studio.kit.caller import Role
from tests.invariants import check, snapshot
from tests.makers import answer, batch, claim_task
from tests.makers import claim as claim_work
from tests.reviews.makers import claim, decide, project, waiting
from tests.transaction_gate import closed_gate
from tests.world import World


async def sound(world: World) -> None:
    check(await world.db.read(snapshot))
    assert [finding for finding in await world.db.read(audit) if finding.count] == []


async def test_reviewers_who_claim_at_once_get_one_review_each(world: World):
    people = [await world.person(f"reviewer{n}", world.ana.team_id, Role.LABELER) for n in range(12)]
    name = await project(world, *people)
    await batch(world, name, tasks=12)
    for _ in range(10):
        await answer(world.ben)
    given = await asyncio.gather(*(claim(person) for person in people))
    held = [one["review_id"] for one in given if one]
    assert len(held) == len(set(held)) == 10, "as many as there are, none twice"
    await sound(world)


async def test_one_reviewer_claiming_many_times_at_once_holds_one_review(world: World):
    name = await project(world)
    await batch(world, name, tasks=5)
    for _ in range(4):
        await answer(world.ben)
    given = await asyncio.gather(*(claim(world.mia) for _ in range(8)))
    assert len({one["review_id"] for one in given if one}) == 1
    await sound(world)


async def test_the_same_decision_twice_at_the_same_moment_answers_the_same(world: World):
    await waiting(world)
    given = await claim(world.mia)
    assert given is not None
    path = f"/reviews/{given['review_id']}/reject"
    body = {"comments": "no", "send_to": "same"}
    first, *others = await asyncio.gather(*(world.mia.post(path, body) for _ in "123"))
    assert others == [first, first]
    await sound(world)
    assert await claim_task(world.ben) == given["task"]["task_id"]


async def test_two_decisions_at_the_same_moment_are_one(world: World):
    await waiting(world)
    given = await claim(world.mia)
    assert given is not None
    path = f"/reviews/{given['review_id']}"
    answers = await asyncio.gather(
        world.mia.call("POST", f"{path}/accept"), world.mia.call("POST", f"{path}/reject", {"comments": "no"})
    )
    assert sorted(response.status_code for response in answers) == [200, 409]
    await sound(world)


async def test_a_rejection_while_somebody_cancels_loses_or_wins_whole(world: World, database_url: str):
    """The cancellation has the task's places when the rejection comes."""
    task = await waiting(world, rejects_to="same")
    given = await claim(world.mia)
    assert given is not None

    async def reject() -> httpx.Response:
        return await world.mia.call("POST", f"/reviews/{given['review_id']}/reject", {"comments": "no"})

    async with closed_gate(database_url) as gate:

        async def hold(tx: Tx) -> None:
            await tx.all("SELECT task_id FROM task_slots WHERE task_id = :task FOR UPDATE", task=task)
            await gate.wait(tx)

        async def both() -> list[httpx.Response]:
            return await asyncio.gather(world.ana.call("POST", f"/task/{task}/cancel"), reject())

        _, (canceled, rejected) = await gate.during(world.db.write(hold), both())
    assert canceled.status_code == 200
    assert rejected.status_code in (200, 409)
    await sound(world)
    assert await claim_task(world.ben) != task


async def test_a_decision_after_the_lease_is_lost_whoever_notices_first(world: World):
    task = await waiting(world)
    given = await claim(world.mia)
    assert given is not None
    world.clock.forward(minutes=31)
    path = f"/reviews/{given['review_id']}/accept"
    late, other = await asyncio.gather(world.mia.call("POST", path), claim(world.max))
    assert late.status_code in (404, 409)
    assert other is not None
    assert other["review_id"] == given["review_id"]
    assert (await world.ana.get(f"/task/{task}"))["status"] == "pending"
    await sound(world)


async def test_somebody_who_leaves_while_their_task_is_sent_back_does_not_keep_it(world: World):
    for number in range(6):
        name = await project(world, name=f"Pets {number}", rejects_to="same")
        await batch(world, name, f"Monday {number}", tasks=2)
        await answer(world.ben, project=name)
        given = await claim(world.mia, project=name)
        assert given is not None
        body = {"emails": [world.ben.email], "projects": [name]}
        await asyncio.gather(
            world.mia.post(f"/reviews/{given['review_id']}/reject", {"comments": "no"}),
            world.ana.post("/studio/assignments/remove", body),
        )
        await sound(world)
        dees = await claim_task(world.dee, project=name)
        assert dees == given["task"]["task_id"]
        await answer(world.dee, project=name)


@pytest.mark.parametrize("how", ["release", "expire"])
async def test_a_place_is_not_lost_when_a_redo_is_given_up_while_its_holder_puts_it_down(
    world: World, database_url: str, how: str
):
    """Ben is paused in a transaction that has the task's places when he gives the task back, or loses it."""
    task = await waiting(world, rejects_to="same")
    await decide(world.mia, "reject", comments="no")
    held = await claim_work(world.ben)
    assert held is not None
    assert held["task"]["task_id"] == task

    async def put_down() -> None:
        if how == "release":
            await world.ben.post(f"/work/{held['claim_id']}/release")
        else:
            await world.db.write(work.expire_leases, world.clock() + 3_600_000)

    async with closed_gate(database_url) as gate:

        async def paused(tx: Tx) -> None:
            await rework.give_up(tx, world.ana.team_id, [world.ben.id], None)
            await gate.wait(tx)

        await gate.during(world.db.write(paused), put_down())
    await sound(world)
    assert await claim_task(world.dee) == task


async def test_a_reviewer_who_is_removed_at_the_same_moment_is_given_nothing(world: World, database_url: str):
    await waiting(world)
    async with closed_gate(database_url) as gate:

        async def removed(tx: Tx) -> None:
            await tx.run("DELETE FROM reviewers WHERE teammate_id = :mia", mia=world.mia.id)
            await gate.wait(tx)

        _, given = await gate.during(world.db.write(removed), claim(world.mia))
    assert given is None
    assert await claim(world.max) is not None
