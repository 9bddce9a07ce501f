"""A replica: lists and exports are read there, everything else is not, and when it fails nobody is the worse for it.

The replica here is a copy of every table as it was at one moment, in a schema of its own that connections of its URL
see in place of the real one: it lags behind for ever, and takes no writes.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from refonte_studio.db import Database, Tx, open_database
from refonte_studio.db.postgres import PostgresDatabase
from refonte_studio.db.replica import LOOK_S, Replica, health_of_a_replica, open_replica
from refonte_studio.kit.errors import Overloaded, StudioError
from refonte_studio.main import LISTENERS
from tests import makers
from tests.cli.run_commands import TIMEOUT_S, run_cli, run_failing_cli, running_server
from tests.conftest import empty
from tests.world import Clock, World

AWAY = "postgresql://nobody@127.0.0.1:1/nothing"
COPY = "copied"  # the schema, and the user who reads it


class Seconds:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Standby:
    """The replica of this test, with what may befall it."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        separator = "&" if "?" in database_url else "?"
        user = database_url.replace("://postgres:", f"://{COPY}:", 1)
        self.url = f"{user}{separator}search_path={COPY}&default_transaction_read_only=on"

    async def run(self, *statements: str) -> None:
        connection = await asyncpg.connect(self._database_url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def catch_up(self) -> None:
        """Has all that the database has, as of now."""
        connection = await asyncpg.connect(self._database_url)
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        await connection.close()
        await self.run(
            f"DROP SCHEMA IF EXISTS {COPY} CASCADE",
            f"CREATE SCHEMA {COPY}",
            *(f"CREATE TABLE {COPY}.{row[0]} AS TABLE public.{row[0]}" for row in tables),
            f"GRANT USAGE ON SCHEMA {COPY} TO {COPY}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {COPY} TO {COPY}",
        )

    async def go_away(self) -> None:
        gone = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{COPY}'"
        await self.run(f"ALTER ROLE {COPY} NOLOGIN", gone)

    async def come_back(self) -> None:
        await self.run(f"ALTER ROLE {COPY} LOGIN")


@pytest.fixture
async def db(postgres_url: str) -> AsyncIterator[Database]:
    await empty(postgres_url)
    opened = await open_database(postgres_url, LISTENERS)
    yield opened
    await opened.close()


@pytest.fixture
async def standby(postgres_url: str, db: Database) -> AsyncIterator[Standby]:
    made = Standby(postgres_url)
    await made.run(f"CREATE ROLE {COPY} LOGIN")
    yield made
    await made.run(f"DROP SCHEMA IF EXISTS {COPY} CASCADE", f"DROP ROLE {COPY}")


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def replica(standby: Standby, db: Database, seconds: Seconds) -> AsyncIterator[Replica]:
    health = health_of_a_replica(seconds)
    opened = Replica(await PostgresDatabase.when_needed(standby.url, 3, health), db, health, seconds)
    yield opened
    await opened.close()


@pytest.fixture
async def world(db: Database, standby: Standby, replica: Replica) -> AsyncIterator[World]:
    """The replica has what is there now: Ben's answer to the older of two tasks, and everybody."""
    made = await World.make(db, Clock(), replica=replica)
    await makers.project(made)
    await makers.batch(made, "Pets", tasks=2)
    await makers.answer(made.ben)
    await standby.catch_up()
    yield made
    await made.close()


async def listed(world: World, **query: Any) -> list[str]:
    """The status of each task of the list, newest first."""
    return [task["status"] for task in (await world.ana.get("/tasks", **query))["docs"]]


async def exported(world: World, **query: Any) -> list[str]:
    """The status of each task of the export, oldest first."""
    response = await world.ana.call("GET", "/tasks/export", params=query)
    assert response.status_code == 200, response.text
    return [json.loads(line)["status"] for line in response.text.splitlines()]


async def where(tx: Tx) -> str:
    row = await tx.one("SELECT current_schema() AS name")
    assert row is not None
    return row["name"]


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message.partition(" (")[0] for record in caplog.records if "the replica" in record.message]


async def test_lists_and_exports_are_read_from_the_replica_and_come_out_as_they_were_there(world: World) -> None:
    before = await world.ana.get("/tasks"), (await world.ana.call("GET", "/tasks/export?attempts=true")).text
    await makers.answer(world.dee)
    await makers.task(world, "Pets")
    assert await listed(world) == await listed(world, project="Pets") == ["pending", "completed"]
    assert await listed(world, batch="Monday", status="completed") == ["completed"]
    assert await exported(world) == ["completed", "pending"]
    assert before == (await world.ana.get("/tasks"), (await world.ana.call("GET", "/tasks/export?attempts=true")).text)
    assert '"labeler":"ben@example.com"' in before[1]


async def test_work_and_all_that_decides_goes_by_the_database_itself(world: World) -> None:
    third = await makers.task(world, "Pets")
    key = (await world.ana.post("/keys", {"name": "new", "mode": "live"}))["key"]
    seen = await world.ana.call("GET", "/tasks", headers={"Authorization": f"Bearer {key}"})
    assert seen.status_code == 200, "a key that the replica does not know yet"
    await makers.answer(world.dee)
    assert (await world.ben.get("/work/queue"))["waiting"] == 1
    assert (await makers.claim_task(world.ben)) == third
    assert (await world.ana.get(f"/task/{third}"))["status"] == "pending"
    assert (await world.ana.get("/batches/Monday/status"))["completed"] == 2
    assert len((await world.dee.get("/work/history"))["docs"]) == 1


async def test_who_was_disabled_a_moment_ago_reads_nothing_of_the_replica(world: World) -> None:
    await world.ana.post("/teams/disable", {"emails": ["max@example.com"]})
    await world.max.refused(401, "GET", "/tasks")


async def test_the_list_of_callbacks_is_read_there_too(world: World) -> None:
    task = await makers.task(world, "Pets", callback_url="https://example.com/told")
    await world.ana.post(f"/task/{task}/cancel")
    assert (await world.ana.get("/callbacks"))["docs"] == []


async def test_what_the_replica_does_not_know_yet_is_looked_for_in_the_database(world: World) -> None:
    await makers.project(world, "Birds")
    await makers.batch(world, "Birds", "Nests", tasks=1)
    assert await listed(world, project="Birds") == await listed(world, batch="Nests") == ["pending"]
    assert await exported(world, project="Birds") == []
    assert "'Nowhere'" in await world.ana.refused(404, "GET", "/tasks?project=Nowhere")


async def test_while_the_replica_is_away_the_database_answers_and_the_log_says_so_once(
    world: World, standby: Standby, seconds: Seconds, caplog: pytest.LogCaptureFixture
) -> None:
    assert await listed(world) == ["pending", "completed"]
    await standby.go_away()
    await makers.answer(world.dee)
    for _ in range(3):
        seconds.now += LOOK_S
        assert await listed(world) == ["completed", "completed"]
        assert await exported(world) == ["completed", "completed"]
    words = "does not accept the server's user or password; reads go to the database itself"
    assert [line for line in told(caplog) if words in line] == [f"the replica cannot serve: it {words}"]
    await standby.come_back()
    assert await listed(world) == ["completed", "completed"], "it is not looked for at each call"
    seconds.now += LOOK_S
    assert await listed(world) == ["pending", "completed"]
    assert told(caplog)[-1] == "the replica serves again: reads succeed"


async def test_a_read_that_the_replica_loses_is_done_by_the_database(world: World, replica: Replica) -> None:
    async def cut_there(tx: Tx) -> str:
        name = await where(tx)
        if name == COPY:
            await tx.one("SELECT pg_terminate_backend(pg_backend_pid())")
        return name

    assert await replica.read(where) == COPY
    assert await replica.read(cut_there) == "public"
    assert await replica.read(where) == "public"


async def test_a_replica_with_another_schema_is_not_read_until_the_migration_has_come(
    world: World, standby: Standby, replica: Replica, seconds: Seconds, caplog: pytest.LogCaptureFixture
) -> None:
    await standby.run(f"UPDATE {COPY}.alembic_version SET version_num = '0000'")
    for _ in range(2):
        assert await replica.read(where) == "public"
        seconds.now += LOOK_S
    assert told(caplog) == ["the replica cannot serve: its schema is not the server's; reads go to the database itself"]
    await standby.catch_up()
    assert await replica.read(where) == COPY


async def test_more_than_the_replica_can_do_is_refused_and_not_given_to_the_database(
    world: World, replica: Replica
) -> None:
    async def too_much(tx: Tx) -> str:
        if (name := await where(tx)) == COPY:
            raise Overloaded("calls")
        return name

    with pytest.raises(Overloaded):
        await replica.read(too_much)
    assert await replica.read(where) == COPY


async def test_nothing_is_written_there(world: World, replica: Replica) -> None:
    async def writes(tx: Tx) -> None:
        await tx.run("DELETE FROM tasks")

    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await replica.read(writes)
    assert not hasattr(replica, "write")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_starts_without_its_replica_and_serves_lists(postgres_url: str, workers: str) -> None:
    asyncio.run(empty(postgres_url))
    run_cli("team", "create", "Refonte", "--database", postgres_url)
    run_cli("user", "create", "ana@example.com", "--team", "Refonte", "--role", "admin", "--database", postgres_url)
    key = run_cli("key", "create", "ana@example.com", "--mode", "live", "--database", postgres_url).strip()
    with running_server("--database", postgres_url, "--workers", workers, STUDIO_REPLICA=AWAY) as server:
        for path, expected in (("/v1/tasks", 200), ("/v1/tasks/export", 200), ("/readyz", 200)):
            answer = httpx.get(server.url + path, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_S)
            assert answer.status_code == expected, answer.text
        assert server.end() == 0


@pytest.mark.parametrize(
    ("url", "replica", "said"),
    [
        (AWAY, "mysql://replica/studio", "STUDIO_REPLICA must begin with postgresql://, not with 'mysql:'"),
        ("", AWAY, "STUDIO_REPLICA requires PostgreSQL, because SQLite has no replicas; remove it"),
    ],
)
def test_a_wrong_replica_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, url: str, replica: str, said: str
) -> None:
    monkeypatch.setenv("STUDIO_DATABASE", url)
    monkeypatch.setenv("STUDIO_REPLICA", replica)
    assert run_failing_cli(2, "serve") == f"Error: Invalid value: {said}"


async def test_a_url_that_cannot_be_read_is_refused_at_the_start(db: Database) -> None:
    with pytest.raises(StudioError, match="STUDIO_REPLICA cannot be read"):
        await open_replica("postgresql://replica:port/studio", db, 2)
