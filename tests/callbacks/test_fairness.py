"""Which callback is delivered next: the failures of one receiver do not delay others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from refonte_studio.callbacks.model import Callback, CallbackContent, CallbackEvent, lane
from refonte_studio.callbacks.policy import retries as retry_policy
from refonte_studio.callbacks.service import outbox as service
from refonte_studio.db import Tx
from tests import makers
from tests.callbacks.conftest import PostOffice
from tests.callbacks.receiver import Receiver, receiving
from tests.world import Person, World


async def told(world: World, url: str, count: int = 1, by: Person | None = None) -> list[str]:
    """So many tasks that have ended and are to be told of; their ids."""
    body = {"attachment": "https://example.com/1.jpg", "categories": ["a"], "callback_url": url}
    ids: list[str] = []
    for _ in range(count):
        made = await (by or world.ana).post("/task/categorization", body)
        await (by or world.ana).post(f"/task/{made['task_id']}/cancel")
        ids.append(made["task_id"])
    return ids


async def multiplied(world: World, count: int) -> None:
    """So many more callbacks like the one there is, all of which have failed before and are due since long."""

    async def copy(tx: Tx) -> None:
        for number in range(count):
            await tx.run(
                f"""INSERT INTO callbacks (id, team_id, mode, url, event, subject_id, state, tries, next_try_at,
                      created_at, lane)
                    SELECT '{number:024x}', team_id, mode, url, event, subject_id, state, 3, 0, created_at,
                      lane || ' again' FROM callbacks WHERE tries = 0"""
            )

    await world.db.write(copy)


async def states(world: World, by: Person | None = None) -> dict[str, str]:
    docs = (await (by or world.ana).get("/callbacks"))["docs"]
    return {each["subject_id"]: each["state"] for each in docs}


@asynccontextmanager
async def delivering(post_office: PostOffice) -> AsyncIterator[None]:
    loop = asyncio.create_task(post_office.delivery().run(0.01))
    try:
        yield
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def test_what_fails_again_and_again_does_not_delay_what_is_new(world: World, receiver: Receiver) -> None:
    await told(world, receiver.url)
    await multiplied(world, 300)
    first = await world.db.write(service.begin_tries, world.clock(), {}, 1)
    assert [callback.tries for callback in first] == [1], "the new one, though all the others are due since long"
    then = await world.db.write(service.begin_tries, world.clock(), {}, retry_policy.SLOTS)
    assert [callback.tries for callback in then] == [4] * retry_policy.TEAM_RETRY_SLOTS


async def test_a_receiver_that_hangs_holds_up_no_other_of_the_team(
    world: World, receiver: Receiver, post_office: PostOffice
) -> None:
    receiver.waiting = asyncio.Event()  # it does not answer while the others are served
    await told(world, receiver.url, 12)
    async with receiving() as quick, delivering(post_office):
        await receiver.has(retry_policy.LANE_SLOTS)
        await told(world, quick.url, 3)
        await quick.has(3)
        assert len(receiver.letters) == retry_policy.LANE_SLOTS
        receiver.waiting.set()


async def test_an_event_that_hangs_holds_up_no_other_of_the_receiver(
    world: World, receiver: Receiver, post_office: PostOffice
) -> None:
    receiver.waiting = asyncio.Event()
    await makers.project(world)
    await told(world, receiver.url, 12)
    async with delivering(post_office):
        await receiver.has(retry_policy.LANE_SLOTS)
        await makers.task(world, "Pets", callback_url=receiver.url)
        await makers.answer(world.ben)
        await receiver.has(retry_policy.LANE_SLOTS + 1)
        assert receiver.letters[-1].json["status"] == "completed"
        receiver.waiting.set()


async def test_a_try_that_cannot_be_made_fails_alone(
    world: World, receiver: Receiver, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of ours in one callback, or in one kind of them, is a failure of that callback like any other."""
    broken = await told(world, receiver.url, 4)
    sound = await told(world, receiver.url, 4)
    make = service.content

    async def content(tx: Tx, callback: Callback) -> CallbackContent | None:
        if callback.subject_id in broken:
            raise KeyError("a bug")
        return await make(tx, callback)

    monkeypatch.setattr(service, "content", content)
    assert await post_office.deliver() == 8
    assert await states(world) == {**dict.fromkeys(broken, "waiting"), **dict.fromkeys(sound, "delivered")}
    assert await post_office.deliver() == 0, "they wait for their next try like others"
    failed = (await world.ana.get("/callbacks", state="waiting"))["docs"][0]
    assert failed["last_error"] == "the server could not make the try (KeyError); see its log"
    for _ in range(retry_policy.SCHEDULE.tries):
        world.clock.forward(hours=12)
        await post_office.deliver()
    assert set((await states(world)).values()) == {"delivered", "failed"}


@pytest.mark.parametrize("table", ["tasks", "batches"])
async def test_what_is_gone_is_given_up_at_once(
    world: World, receiver: Receiver, post_office: PostOffice, table: str
) -> None:
    await makers.project(world)
    if table == "tasks":
        await told(world, receiver.url)
    else:
        await makers.batch(world, "Pets", callback=receiver.url)
        await makers.answer(world.ben)

    async def lose(tx: Tx) -> None:
        await tx.run("UPDATE callbacks SET subject_id = 'no such thing'")

    await world.db.write(lose)
    await post_office.deliver()
    (callback,) = (await world.ana.get("/callbacks"))["docs"]
    assert (callback["state"], callback["last_error"]) == ("failed", "the object it reports no longer exists")
    assert receiver.letters == []


async def test_what_an_older_server_recorded_is_delivered_too(
    world: World, receiver: Receiver, post_office: PostOffice
) -> None:
    """It knows of no lanes."""
    (task,) = await told(world, receiver.url)

    async def forget(tx: Tx) -> None:
        await tx.run("UPDATE callbacks SET lane = ''")

    await world.db.write(forget)
    await post_office.deliver()
    assert await states(world) == {task: "delivered"}


# ------------------------------------------------------------------------------------------------------ the choice


def lanes(team: str, *urls: str, event: CallbackEvent = CallbackEvent.TASK_COMPLETED, again: bool = False) -> list[str]:
    return [lane(team, event, url, again=again) for url in urls]


def tries_to_start(due: Sequence[str], under_way: dict[str, int], limit: int = 100) -> dict[str, int]:
    return retry_policy.tries_to_start({each: number for number, each in enumerate(due)}, under_way, limit)


A, B, C = (f"https://{name}.example/hook" for name in "abc")


def test_no_lane_no_team_and_no_process_has_more_than_its_places() -> None:
    (one,) = lanes("t1", A)
    assert tries_to_start([one], {}) == {one: retry_policy.LANE_SLOTS}
    assert tries_to_start([one], {one: 3}) == {one: 1}
    assert tries_to_start([one], {one: 4}) == {}
    of_team = tries_to_start(lanes("t1", A, B, C), {})
    assert sum(of_team.values()) == retry_policy.TEAM_SLOTS
    many = [each for number in range(20) for each in lanes(f"t{number:02}", A, B)]
    assert sum(tries_to_start(many, {}).values()) == retry_policy.SLOTS
    assert sum(tries_to_start(many, {many[0]: 4, many[2]: 4}, 5).values()) == 5


def test_teams_take_turns() -> None:
    busy, idle = lanes("t1", A, B), lanes("t2", A)
    assert tries_to_start([*busy, *idle], {busy[0]: 4}, 4) == {idle[0]: 4}
    assert tries_to_start([*busy, *idle], {}, 4) == {busy[0]: 1, busy[1]: 1, idle[0]: 2}


def test_what_failed_comes_after_what_is_new_and_leaves_it_places() -> None:
    new, failed = lanes("t1", A), lanes("t1", A, B, again=True)
    assert tries_to_start([*failed, *new], {}, 4) == {new[0]: 4}
    assert sum(tries_to_start(failed, {}).values()) == retry_policy.TEAM_RETRY_SLOTS
    everybodys = [each for number in range(20) for each in lanes(f"t{number:02}", A, again=True)]
    assert sum(tries_to_start(everybodys, {}).values()) == retry_policy.RETRY_SLOTS
    full = tries_to_start(everybodys, {})
    assert tries_to_start(new, full) == {new[0]: retry_policy.LANE_SLOTS}


def test_events_and_receivers_have_lanes_of_their_own() -> None:
    assert len({*lanes("t1", A, B), *lanes("t2", A, B), *lanes("t1", A, event=CallbackEvent.TASK_CHANGED)}) == 5
    assert lanes("t1", A) == lanes("t1", "https://boss:secret@a.example/other")
    assert lanes("t1", "boss@a.example") == lanes("t1", "other@b.example")
