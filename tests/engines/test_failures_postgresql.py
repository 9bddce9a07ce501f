"""PostgreSQL: it is away, read-only, out of connections, or cuts them. Calls are refused and say why; then they work.

Nothing here restarts the server of ours, and every error is PostgreSQL's own.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from refonte_studio.db import Database, Tx, open_database, postgres
from refonte_studio.db.health import Health
from refonte_studio.kit.errors import Overloaded, Unavailable
from refonte_studio.main import LISTENERS
from refonte_studio.teams import service as teams
from tests import makers
from tests.conftest import empty
from tests.engines.cluster import Cluster, own_cluster
from tests.transaction_gate import closed_gate
from tests.world import Clock, World

NOW = 1_770_000_000_000
LOOKS = 2_000


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with own_cluster() as made:
        yield made


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "EXPIRE_S", 0)
    monkeypatch.setattr("refonte_studio.db.health.QUIET_S", 0)


@pytest.fixture
async def db(cluster: Cluster) -> AsyncIterator[Database]:
    await empty(cluster.url)
    opened = await open_database(cluster.url, LISTENERS, pool_size=3)
    yield opened
    await opened.close()


@pytest.fixture
async def world(db: Database) -> AsyncIterator[World]:
    made = await World.make(db, Clock())
    await makers.project(made)
    yield made
    await made.close()


async def make(world: World, name: str) -> tuple[int, str]:
    """Tries to make a project; the status and the error."""
    response = await world.ana.call("POST", "/projects", {"name": name, "type": "categorization"})
    if response.status_code == 503:
        assert int(response.headers["retry-after"]) >= 1
    return response.status_code, response.json().get("error", "")


async def is_ready(world: World) -> str:
    """What the server says of its database; it lives in any case."""
    assert (await world.http.get("/healthz")).status_code == 200
    world.clock.forward(seconds=2)
    response = await world.http.get("/readyz")
    assert (response.status_code == 503) == ("retry-after" in response.headers) == (response.json()["database"] != "ok")
    return response.json()["database"]


async def team_names(tx: Tx) -> list[str]:
    return sorted(row["name"] for row in await tx.all("SELECT name FROM teams"))


async def cut_here(tx: Tx) -> None:
    """The connection that this runs on is ended by the administrator."""
    await tx.one("SELECT pg_terminate_backend(pg_backend_pid())")


async def until(connection: Any, question: str) -> Any:
    """The first answer to the question that is one."""
    for _ in range(LOOKS):
        if (answer := await connection.fetchval(question)) is not None:
            return answer
        await asyncio.sleep(0.005)
    raise AssertionError(f"never answered: {question}")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if "cannot serve" in record.message]


async def test_a_database_that_is_away_is_found_again_when_it_is_back(
    world: World, cluster: Cluster, caplog: pytest.LogCaptureFixture
):
    await asyncio.gather(*(world.ana.get("/projects") for _ in range(5)))  # several connections, which all break
    await asyncio.to_thread(cluster.stop)
    try:
        outcomes = await asyncio.gather(*(make(world, f"Lost {n}") for n in range(20)))
        assert {status for status, _ in outcomes} == {503}
        reasons = {error.removeprefix("the database cannot serve this now: ") for _, error in outcomes}
        assert reasons <= {"it cannot be reached", "the connection to it was lost"}
        assert "it cannot be reached" in await is_ready(world)
        assert len(told(caplog)) == len(set(told(caplog))) <= 2
    finally:
        await asyncio.to_thread(cluster.start)
    assert await make(world, "Found") == (200, "")
    assert [project["name"] for project in await world.ana.get("/projects")] == ["Found", "Pets"]
    assert await is_ready(world) == "ok"
    assert any("serves again" in record.message for record in caplog.records)


async def test_work_whose_connection_is_cut_before_its_commit_is_done_again_once(db: Database):
    runs = 0

    async def interrupted(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        await teams.create_team(tx, "Once", NOW)
        if runs == 1:
            await cut_here(tx)

    await db.write(interrupted)
    assert runs == 2
    assert await db.read(team_names) == ["Once"]


async def test_work_whose_connection_is_cut_again_and_again_is_given_up(db: Database):
    runs = 0

    async def interrupted(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        await teams.create_team(tx, "Never", NOW)
        await cut_here(tx)

    with pytest.raises(Unavailable, match="the connection to it was lost"):
        await db.write(interrupted)
    assert runs == 2
    assert await db.read(team_names) == []


async def test_a_read_whose_connection_is_cut_is_done_again(db: Database):
    runs = 0

    async def interrupted(tx: Tx) -> list[str]:
        nonlocal runs
        runs += 1
        if runs == 1:
            await cut_here(tx)
        return await team_names(tx)

    assert await db.read(interrupted) == []
    assert runs == 2


async def test_a_connection_that_is_cut_while_it_is_set_up_is_no_bug(cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    """Each of asyncpg's own errors that were seen then, beside PostgreSQL's."""
    errors = [asyncpg.InternalClientError("cannot switch to state 15"), asyncpg.InterfaceError("connection is closed")]

    async def cut(_connection: Any) -> None:
        if errors:
            raise errors.pop()

    await empty(cluster.url)
    monkeypatch.setattr(postgres, "_set_up", cut)
    db = await postgres.PostgresDatabase.when_needed(cluster.url, 1, Health())
    try:
        for _ in range(2):
            with pytest.raises(Unavailable, match="it cannot be reached"):
                await db.read(team_names)
        assert await db.read(team_names) == []
    finally:
        await db.close()


class LostCount:
    """A connection that was cut in the middle of a statement: it does not know that, and takes no other one."""

    def __init__(self) -> None:
        self.terminated = False

    async def execute(self, sql: str) -> str:
        if sql == "ROLLBACK":
            raise asyncpg.InterfaceError("cannot perform operation: another operation is in progress")
        return sql

    def is_closed(self) -> bool:
        return self.terminated

    def terminate(self) -> None:
        self.terminated = True


async def test_a_connection_that_has_lost_count_is_ended_and_is_no_bug():
    connection = LostCount()
    with pytest.raises(ConnectionResetError):
        async with postgres._transaction(connection, "BEGIN"):
            raise asyncpg.InternalClientError("cannot switch to state 21; another operation (2) is in progress")
    assert connection.terminated


async def test_who_waits_for_a_lock_in_vain_is_told(db: Database, cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    await db.close()
    monkeypatch.setitem(postgres.SESSION, "lock_timeout", "50")
    impatient = await open_database(cluster.url, LISTENERS, pool_size=1)
    async with closed_gate(cluster.url):

        async def waits(tx: Tx) -> None:
            await tx.lock("gate")

        with pytest.raises(Unavailable, match="a lock was not to be had in the time that it allows"):
            await impatient.write(waits)
    assert await impatient.read(team_names) == []
    await impatient.close()


@pytest.fixture
async def never_ending_commits(db: Database, cluster: Cluster) -> AsyncIterator[Database]:
    """A commit waits for a standby that there is not: it is made, but nobody hears of it."""
    await cluster.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
    yield db
    await cluster.run("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")


async def test_a_commit_whose_answer_is_lost_is_no_success_and_is_not_repeated(
    never_ending_commits: Database, cluster: Cluster
):
    runs = 0

    async def named(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        await teams.create_team(tx, f"Team {runs}", NOW)

    admin = await cluster.admin()
    committing = asyncio.create_task(never_ending_commits.write(named))
    pid = await until(admin, "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(Unavailable, match="may or may not be done"):
        await committing
    assert runs == 1
    assert [row["name"] for row in await admin.fetch("SELECT name FROM teams")] == ["Team 1"]
    await admin.close()


async def test_a_single_statement_whose_answer_is_lost_is_not_repeated_either(
    never_ending_commits: Database, cluster: Cluster
):
    runs = 0

    async def named(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        sql = "INSERT INTO teams (id, name, callback_secret, alias_key, created_at) VALUES (:id, 'Single', '', '', 0)"
        await tx.run(sql, id=f"{runs:024}")

    admin = await cluster.admin()
    writing = asyncio.create_task(never_ending_commits.single(named))
    pid = await until(admin, "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(Unavailable, match="may or may not be done"):
        await writing
    assert runs == 1
    assert await admin.fetchval("SELECT COUNT(*) FROM teams") == 1
    await admin.close()


async def test_a_use_case_that_goes_on_after_a_failure_is_no_success(db: Database):
    async def goes_on(tx: Tx) -> None:
        await teams.create_team(tx, "Never", NOW)
        with pytest.raises(Exception, match="division"):
            await tx.run("SELECT 1 / 0")

    with pytest.raises(RuntimeError, match="nothing of it could be committed"):
        await db.write(goes_on)
    assert await db.read(team_names) == []


@pytest.mark.parametrize("set_for", ["SYSTEM", "DATABASE postgres"])
async def test_a_read_only_database_refuses_writes_until_it_is_not(
    world: World, cluster: Cluster, set_for: str, caplog: pytest.LogCaptureFixture
):
    """Set for the database it holds for new connections alone, and so does its end: the old ones have to go."""
    reload = ("SELECT pg_reload_conf()",)
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname <> ''"
    await cluster.run(f"ALTER {set_for} SET default_transaction_read_only = on", *reload)
    try:
        await cluster.run(others)
        for n in range(3):
            assert await make(world, f"Lost {n}") == (503, "the database cannot serve this now: it is read-only")
        assert [project["name"] for project in await world.ana.get("/projects")] == ["Pets"]
        assert "it is read-only" in await is_ready(world)
        assert len(told(caplog)) == 1
    finally:
        await cluster.run(f"ALTER {set_for} RESET default_transaction_read_only", *reload)
    outcomes = [await make(world, f"Found {n}") for n in range(4)]  # as many as there are connections, and one
    assert outcomes[-1] == (200, "")
    assert await is_ready(world) == "ok"


@pytest.fixture
async def limited(cluster: Cluster) -> AsyncIterator[str]:
    """The URL for a user who is granted one connection."""
    grants = ("GRANT ALL ON ALL TABLES IN SCHEMA public TO limited", "GRANT USAGE ON SCHEMA public TO limited")
    await empty(cluster.url)
    await cluster.run("CREATE ROLE limited LOGIN CONNECTION LIMIT 1", *grants)
    yield cluster.as_user("limited")
    await cluster.run("DROP OWNED BY limited", "DROP ROLE limited")


async def test_a_database_without_a_free_connection_says_so(cluster: Cluster, limited: str):
    db = await open_database(limited, LISTENERS, pool_size=3)
    async with closed_gate(cluster.url) as gate:
        held = asyncio.create_task(db.write(gate.wait))
        await gate.until_waiting(1)
        with pytest.raises(Unavailable, match="it has no connection left"):
            await db.read(team_names)
        await gate.open()
        await held
    assert await db.read(team_names) == []
    await db.close()


async def test_who_waits_too_long_for_a_connection_is_refused_and_the_others_are_served(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
):
    await empty(cluster.url)
    monkeypatch.setattr(postgres, "CONNECT_TIMEOUT_S", 0.1)
    db = await open_database(cluster.url, LISTENERS, pool_size=2)
    try:
        async with closed_gate(cluster.url) as gate:
            held = [asyncio.create_task(db.write(gate.wait)) for _ in range(2)]
            await gate.until_waiting(2)
            refused = await asyncio.gather(*(db.read(team_names) for _ in range(50)), return_exceptions=True)
            assert {type(error) for error in refused} == {Overloaded}
            await gate.open()
            await asyncio.gather(*held)
        assert await db.read(team_names) == []
    finally:
        await db.close()


async def test_a_statement_that_takes_longer_than_the_database_allows_is_given_up(db: Database):
    async def slow(tx: Tx) -> None:
        await teams.create_team(tx, "Never", NOW)
        await tx.run("SET LOCAL statement_timeout = 20")
        await tx.one("SELECT pg_sleep(60)")

    with pytest.raises(Unavailable, match="took longer than it allows"):
        await db.write(slow)
    assert await db.read(team_names) == []


async def test_a_statement_that_is_cancelled_by_an_administrator_is_given_up(db: Database, cluster: Cluster):
    async def slow(tx: Tx) -> None:
        await tx.one("SELECT pg_sleep(60)")

    admin = await cluster.admin()
    sleeping = asyncio.create_task(db.read(slow))
    pid = await until(admin, "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    await admin.execute("SELECT pg_cancel_backend($1)", pid)
    with pytest.raises(Unavailable, match="cancelled"):
        await sleeping
    await admin.close()


async def test_a_bug_of_ours_is_not_blamed_on_the_database(db: Database, caplog: pytest.LogCaptureFixture):
    async def misspelt(tx: Tx) -> None:
        await tx.run("UPDATE teams SET no_such_column = 1")

    async def writes_where_it_reads(tx: Tx) -> None:
        await tx.run("UPDATE teams SET name = name")

    with pytest.raises(Exception, match="no_such_column") as first:
        await db.write(misspelt)
    with pytest.raises(Exception, match="read-only transaction") as second:
        await db.read(writes_where_it_reads)
    assert not isinstance(first.value, Unavailable)
    assert not isinstance(second.value, Unavailable)
    assert told(caplog) == []
