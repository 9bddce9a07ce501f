"""The background loops that deliver callbacks."""

import asyncio
import logging

import pytest

from refonte_studio.config import Settings
from refonte_studio.db import Tx
from refonte_studio.kit.errors import Unavailable
from refonte_studio.main import AUTHENTICATOR
from refonte_studio.server import background
from refonte_studio.teams.service.mail import Mailer
from refonte_studio.web import Studio
from tests import makers
from tests.callbacks.receiver import Receiver
from tests.world import World


@pytest.fixture
def studio(world: World) -> Studio:
    settings = Settings(internal_hosts="127.0.0.1")
    return Studio(world.db, settings, world.clock, AUTHENTICATOR, {Mailer: Mailer(settings)})


def chore(name: str) -> background.Chore:
    (found,) = [each for each in background.CHORES if each.name == name]
    return found


async def test_the_background_delivers_callbacks(world: World, receiver: Receiver, studio: Studio):
    async with background.background(studio):
        await makers.project(world)
        await makers.task(world, "Pets", callback_url=receiver.url)
        await makers.answer(world.ben)
        await receiver.has(1)
    assert [task for task in asyncio.all_tasks() if "_forever" in str(task)] == []


@pytest.mark.parametrize("name", [each.name for each in background.CHORES])
async def test_every_chore_runs_on_an_empty_database(studio: Studio, name: str):
    assert await background.do(studio, chore(name)) == 0


async def test_leases_run_out_without_anybody_asking(world: World, studio: Studio):
    await makers.project(world)
    await makers.task(world, "Pets")
    assert await makers.claim(world.ben)
    assert await background.do(studio, chore("expire leases")) == 0
    world.clock.forward(minutes=31)
    assert await background.do(studio, chore("expire leases")) == 1


async def test_counts_stay_the_same_when_they_are_folded(world: World, studio: Studio):
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=3)
    await makers.answer(world.ben)
    before = await world.ana.get("/batches/Monday/status")
    assert before["completed"] == 1
    assert await background.do(studio, chore("fold the counts of batches")) > 0
    assert await world.ana.get("/batches/Monday/status") == before
    assert await background.do(studio, chore("fold the counts of batches")) == 0


async def test_a_chore_goes_on_while_there_is_enough_to_do(studio: Studio):
    left = [5, 5, 2, 5]

    async def some(tx: Tx, now: int) -> int:
        return left.pop(0)

    assert await background.do(studio, background.Chore("count", 1, some, 5)) == 12
    assert left == [5]


async def test_a_database_that_is_away_is_logged_and_waited_for(studio: Studio, caplog: pytest.LogCaptureFixture):
    async def fails(tx: Tx, now: int) -> int:
        raise Unavailable("it is away")

    with caplog.at_level(logging.WARNING):
        assert await background.do(studio, background.Chore("try", 1, fails, 5)) == 0
    assert "could not try: it is away" in caplog.text


async def test_a_loop_outlives_a_bug_of_ours(caplog: pytest.LogCaptureFixture):
    turns = 0
    done = asyncio.Event()

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise ZeroDivisionError("a bug")
        done.set()

    loop = asyncio.create_task(background._forever("turn", turn, lambda: 0.0))
    async with asyncio.timeout(5):
        await done.wait()
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert "could not turn" in caplog.text
    assert "ZeroDivisionError" in caplog.text
