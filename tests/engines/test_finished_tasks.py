"""docs/how-to/archive-finished-tasks.md: its SQL does what the page says, and the server goes on as before."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from refonte_studio.db import Database, open_database
from refonte_studio.db.migrate import migrate
from refonte_studio.invariants.service import audit
from refonte_studio.main import LISTENERS
from tests import makers
from tests.house.sources import ROOT
from tests.world import Clock, World

TAKE_OUT, PARTITION_TASKS, PARTITION_ATTEMPTS = re.findall(
    r"```sql\n(.*?)```", (ROOT / "docs/how-to/archive-finished-tasks.md").read_text(), re.DOTALL
)


@pytest.fixture
def own_url(postgres_url: str) -> Iterator[str]:
    """A database whose tables may be changed."""
    name = f"own_{secrets.token_hex(6)}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    asyncio.run(execute(postgres_url, f"CREATE DATABASE {name}"))
    migrate(url)
    yield url
    asyncio.run(execute(postgres_url, f"DROP DATABASE {name}"))


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def counted(url: str, *tables: str) -> list[int]:
    connection = await asyncpg.connect(url)
    try:
        return [await connection.fetchval(f"SELECT COUNT(*) FROM {table}") for table in tables]
    finally:
        await connection.close()


@pytest.fixture
async def db(own_url: str) -> AsyncIterator[Database]:
    opened = await open_database(own_url, LISTENERS)
    yield opened
    await opened.close()


@pytest.fixture
async def world(db: Database) -> AsyncIterator[World]:
    """Monday is done, with consensus, an audit, tags and a callback; Tuesday is not."""
    made = await World.make(db, Clock())
    await makers.project(made, wanted=2)
    await made.ana.post("/batches", {"project": "Pets", "name": "Monday", "callback": "https://example.com/batch"})
    told = {"callback_url": "https://example.com/task", "tags": ["old"], "unique_id": "mine"}
    task = await makers.task(made, "Pets", "Monday", **told)
    await made.ana.post("/batches/Monday/finalize")
    for person in (made.ben, made.dee):
        await makers.answer(person)
    await made.ana.post(f"/task/{task}/audit", {"accepted": True})
    await makers.batch(made, "Pets", "Tuesday", tasks=4)
    await makers.answer(made.ben)
    yield made
    await made.close()


async def next_minute(world: World) -> Callable[[str], str]:
    """Has the SQL's new year begin in a minute. Ids never go back in a process, so it is a minute from the last one."""
    newest = (await world.ana.get("/tasks", limit=1))["docs"][0]["task_id"]
    world.clock.now = max(world.clock.now, int(newest[:12], 16))
    begins = datetime.fromtimestamp(world.clock.now / 1000 + 60, UTC).isoformat()
    return lambda sql: sql.replace("2027-01-01Z", begins)


async def broken(db: Database) -> list[str]:
    """The rules that the auditor finds broken."""
    return [finding.rule.name for finding in await db.read(audit) if finding.count]


async def test_a_finished_batch_is_taken_out_and_nothing_else(world: World, db: Database, own_url: str) -> None:
    others = (await world.ana.get("/tasks", batch="Tuesday"))["docs"]
    await execute(own_url, TAKE_OUT)
    assert await broken(db) == []
    assert [batch["name"] for batch in (await world.ana.get("/batches"))["docs"]] == ["Tuesday"]
    assert (await world.ana.get("/tasks"))["docs"] == others
    assert await counted(own_url, "tasks", "claims", "attempts", "audits", "task_tags", "callbacks") == [
        4,
        1,
        1,
        0,
        0,
        0,
    ]
    assert [done["batch"] for done in (await world.ben.get("/work/history"))["docs"]] == ["Tuesday"]
    for person in (world.dee, world.ben):
        await makers.answer(person)
    await makers.task(world, "Pets", unique_id="mine")
    assert await broken(db) == []


async def test_a_batch_that_is_not_done_stays(world: World, own_url: str) -> None:
    tables = ("tasks", "claims", "attempts", "batches", "batch_counts", "batch_deltas")
    before = await counted(own_url, *tables)
    await execute(own_url, TAKE_OUT.replace("'Monday'", "'Tuesday'"))
    assert await counted(own_url, *tables) == before


async def test_tasks_and_attempts_are_partitioned_and_work_goes_on_in_both_parts(
    world: World, db: Database, own_url: str
) -> None:
    before = await world.ana.get("/tasks"), (await world.ana.call("GET", "/tasks/export?attempts=true")).text
    new_year = await next_minute(world)
    await execute(own_url, new_year(PARTITION_TASKS))
    await execute(own_url, new_year(PARTITION_ATTEMPTS))
    await asyncio.to_thread(migrate, own_url)
    assert before == (await world.ana.get("/tasks"), (await world.ana.call("GET", "/tasks/export?attempts=true")).text)
    world.clock.forward(minutes=2)
    await makers.batch(world, "Pets", "Wednesday", tasks=4)
    for _ in range(3):
        for person in (world.ben, world.dee):
            await makers.answer(person)
    held = await makers.claim(world.ben)
    assert held is not None
    await world.ben.post(f"/work/{held['claim_id']}/skip")
    await makers.answer(world.dee, batch="Wednesday")
    parts = ("tasks_first", "tasks_2027", "attempts_first", "attempts_2027")
    assert await counted(own_url, *parts) == [5, 4, 9, 1]
    assert len((await world.ana.call("GET", "/tasks/export?attempts=true")).text.splitlines()) == 9
    assert len((await world.ben.get("/work/history"))["docs"]) == 5
    assert await broken(db) == []


async def test_a_unique_id_is_unique_within_a_part_alone(world: World, own_url: str) -> None:
    """Which is why the page warns of it."""
    new_year = await next_minute(world)
    await execute(own_url, new_year(PARTITION_TASKS))
    task = {"project": "Pets", "attachment": "https://example.com/1.jpg", "unique_id": "mine"}
    await world.ana.refused(409, "POST", "/task/categorization", task)
    world.clock.forward(minutes=2)
    await world.ana.post("/task/categorization", task)
    await world.ana.refused(409, "POST", "/task/categorization", task)
