"""The statements of claim and submit are few, use indexes, and each concern one team."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from refonte_studio.callbacks.model import CallbackEvent, CallbackState
from refonte_studio.db import Tx, postgres, sqlite
from refonte_studio.db.commit_order import COMMIT_NUMBER, COMMITTED_UP_TO
from refonte_studio.db.schema import metadata
from refonte_studio.db.sql import for_postgres, for_sqlite
from refonte_studio.dispatch import service as work
from refonte_studio.dispatch.service import fast_path
from refonte_studio.dispatch.store import candidates as candidate_store
from refonte_studio.dispatch.store import fast_path as fast_path_store
from refonte_studio.kit.caller import ALLOWED, Permission
from refonte_studio.kit.errors import Overloaded
from tests import makers
from tests.world import World

WITH_TEAM = {table.name for table in metadata.sorted_tables if "team_id" in table.c}
TABLE = re.compile(r"\b(?:FROM|JOIN|(?<!FOR )UPDATE|USING)\s+(\w+)(?:\s+(?:AS\s+)?(\w+))?")
INSERTION = re.compile(r"\bINSERT INTO (\w+) \(([^)]*)\)")
NO_ALIAS = {"WHERE", "SET", "ON", "CROSS", "JOIN", "LEFT", "ORDER", "FOR", "LIMIT", "VALUES", "SELECT", "GROUP", "AS"}


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is run, as it was written."""
    seen: list[str] = []

    def noting(translate: Callable[[str], Any]) -> Callable[[str], Any]:
        def noted(sql: str) -> Any:
            if sql != makers.REAL_ID:  # which only the tests ask for
                seen.append(sql)
            return translate(sql)

        return noted

    monkeypatch.setattr(sqlite, "for_sqlite", noting(sqlite.for_sqlite))
    monkeypatch.setattr(postgres, "for_postgres", noting(postgres.for_postgres))
    return seen


def without_team(sql: str) -> list[str]:
    """The tables that a statement reads or changes without saying of which team.

    To name the team in what is selected is not enough: it must be compared, once for each time that the table is named.
    """
    for stamp in (
        COMMIT_NUMBER["sqlite"],
        COMMITTED_UP_TO["sqlite"],
    ):  # the numbers of a whole database, which is never distributed
        sql = sql.replace(stamp, "0")
    found = [table for table, columns in INSERTION.findall(sql) if table in WITH_TEAM and "team_id" not in columns]
    by_alias: dict[str, list[str]] = {}
    for table, alias in TABLE.findall(sql):
        if table in WITH_TEAM:
            by_alias.setdefault("" if alias.upper() in NO_ALIAS or not alias else f"{alias}.", []).append(table)
    for alias, tables in by_alias.items():
        column = rf"(?<![\w.]){re.escape(alias)}team_id\b"
        if len(re.findall(rf"{column}\s*(?:=|IN\b)|=\s*{column}", sql)) < len(tables):
            found.append(f"{', '.join(tables)} as {alias or 'such'}")
    return found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT c.team_id FROM claims c WHERE c.id = :id",
        "SELECT 1 FROM claims c WHERE c.team_id = :team AND EXISTS (SELECT 1 FROM claims c WHERE c.id = :id)",
        "SELECT 1 FROM tasks t JOIN task_slots p ON p.task_id = t.id WHERE t.team_id = :team",
        "UPDATE task_slots SET open = 1 WHERE task_id = :task RETURNING team_id",
        "DELETE FROM task_slots p USING moved m WHERE p.task_id = m.task_id",
        "INSERT INTO claims (id, task_id) SELECT :id, p.task_id FROM task_slots p WHERE p.team_id = :team",
    ],
)
def test_a_statement_that_does_not_say_of_which_team_is_noticed(sql: str) -> None:
    assert len(without_team(sql)) == 1


LONG = {
    "claim": fast_path_store.CLAIM["postgresql"],
    "submission": fast_path_store.SUBMISSION["postgresql"],
    "record": fast_path_store.RECORD_ATTEMPT,
    "complete": fast_path_store.COMPLETE_TASK,
}


@pytest.mark.parametrize("sql", [*LONG.values(), fast_path_store.CLAIM["sqlite"], fast_path_store.SUBMISSION["sqlite"]])
def test_every_statement_of_the_fast_path_names_the_team_of_each_table(sql: str) -> None:
    assert without_team(sql) == []


def test_the_statements_name_roles_and_callbacks_as_the_code_does() -> None:
    roles = ", ".join(f"'{role}'" for role, allowed in ALLOWED.items() if Permission.WORK in allowed)
    for engine in ("sqlite", "postgresql"):
        for statement in (fast_path_store.CLAIM[engine], fast_path_store.SUBMISSION[engine]):
            assert statement.count(f"u.role IN ({roles})") == statement.count("u.role IN") >= 1
    assert (
        f"'{CallbackEvent.TASK_COMPLETED}', moved.task_id, '{CallbackState.WAITING}'" in fast_path_store.COMPLETE_TASK
    )


@pytest.mark.parametrize("way", ["fast", "general"])
async def test_every_statement_of_the_working_loop_names_the_team_of_each_table(
    world: World, statements: list[str], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "general":
        monkeypatch.setattr(fast_path_store, "next_plain", nothing_at_once)
        monkeypatch.setattr(fast_path, "claim_on_postgresql", nothing_at_once)
        monkeypatch.setattr(fast_path, "read_submission", nothing_at_once)
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=16)
    await makers.project(world, "Birds", wanted=2)
    await makers.batch(world, "Birds", "Nests", tasks=16)
    for person in (world.ben, world.dee):
        await makers.answer(person)  # the first use of a key is noted
    await world.ana.post("/projects/Birds/quality", {"pause_below": 0.5, "pause_after": 1})
    known = {"attachment": "https://example.com/k.jpg", "expected_response": {"category": "cat"}}
    for kind in ("training", "evaluation"):
        await world.ana.post(f"/{kind}_tasks/categorization", {"project": "Birds", **known})
    statements.clear()
    await makers.answer(world.ben, "dog")  # the training task, which comes again
    for _ in range(12):
        for person in (world.ben, world.dee):
            await makers.answer(person)
    for what in ("extend", "release", "skip"):
        await makers.claim(world.ben)
        held = await makers.claim(world.ben)
        await world.ben.post(f"/work/{held['claim_id']}/{what}")
    await makers.claim(world.dee)
    world.clock.forward(minutes=31)
    await makers.claim(world.dee)
    await world.ben.get("/work/queue")
    await world.ben.get("/work/history")
    await world.ben.get("/work/training")
    await world.ben.refused(404, "GET", f"/work/{held['claim_id']}/feedback")
    await world.ana.post("/quality/pauses/add", {"project": "Birds", "emails": [world.ben.email]})
    await world.ana.post("/quality/pauses/lift", {"project": "Birds", "emails": [world.ben.email]})
    await world.ana.get("/quality/accuracy")
    assert len(statements) > 50
    assert {sql: tables for sql in statements if (tables := without_team(sql))} == {}


async def nothing_at_once(*_: Any) -> None:
    """What the fast path answers where it has done nothing."""


@pytest.mark.parametrize(("people", "recorded"), [(1, {"complete": 6}), (2, {"record": 3, "complete": 3})])
async def test_a_plain_claim_and_submission_are_three_statements_on_postgresql(
    world: World, statements: list[str], people: int, recorded: dict[str, int]
) -> None:
    if world.db.engine != "postgresql":
        return
    team = (world.ben, world.dee)[:people]
    await makers.project(world, wanted=people)
    await makers.batch(world, "Pets", tasks=150, callback="https://example.com/batch")
    for _ in range(2):
        for person in team:
            await makers.answer(person)
    statements.clear()
    for turn in range(6 // people):
        for person in team:
            await makers.answer(person, **({"project": "Pets"} if turn else {}))
    cursors = [sql for sql in statements if "dispatch_cursors" in sql and sql not in LONG.values()]
    assert len(statements) - len(cursors) == 18, statements
    counted = {name: statements.count(sql) for name, sql in LONG.items() if sql in statements}
    assert counted == {"claim": 6, "submission": 6, **recorded}


@pytest.mark.parametrize(("people", "most"), [(1, 9 * 6), (2, 8 * 6)])
async def test_a_plain_claim_and_submission_are_few_statements_on_sqlite(
    world: World, statements: list[str], people: int, most: int
) -> None:
    if world.db.engine != "sqlite":
        return
    team = (world.ben, world.dee)[:people]
    await makers.project(world, wanted=people)
    await makers.batch(world, "Pets", tasks=150)
    for _ in range(2):
        for person in team:
            await makers.answer(person)
    statements.clear()
    for turn in range(6 // people):
        for person in team:
            await makers.answer(person, **({"project": "Pets"} if turn else {}))
    cursors = [sql for sql in statements if "dispatch_cursors" in sql and sql != fast_path_store.CLAIM["sqlite"]]
    assert statements.count(fast_path_store.CLAIM["sqlite"]) == 6
    assert statements.count(fast_path_store.SUBMISSION["sqlite"]) == 6
    assert len(statements) - len(cursors) == most, statements


@pytest.mark.parametrize("name", LONG)
async def test_the_hot_statements_never_read_a_whole_table(world: World, name: str) -> None:
    """Not even while the tables are empty, when a whole table is what is cheapest."""
    if world.db.engine != "postgresql":
        return
    plans = await world.db.single(explained, LONG[name])
    for step in plans:
        assert "Seq Scan" not in step, plans
        assert "Hash Join" not in step, plans
        assert "Merge" not in step, plans


@pytest.mark.parametrize("name", ["CLAIM", "SUBMISSION"])
async def test_the_hot_statements_search_every_table_by_an_index_on_sqlite(world: World, name: str) -> None:
    if world.db.engine != "sqlite":
        return
    text = for_sqlite(getattr(fast_path_store, name)["sqlite"])[0]
    values = dict.fromkeys(re.findall(r":(\w+)", text))
    plan = await world.db.read(explained_by_sqlite, text, values)
    scanned = {step.split()[1] for step in plan if step.startswith("SCAN ") and "CONSTANT" not in step}
    assert scanned <= {"me", "plain", "found", "earlier"}, plan
    sorts = [step for step in plan if "TEMP B-TREE" in step]
    assert len(sorts) <= 1, plan  # of what opened behind the cursor, or of earlier attempts


async def explained_by_sqlite(tx: Tx, sql: str, values: dict[str, None]) -> list[str]:
    return [row["detail"] for row in await tx.all(f"EXPLAIN QUERY PLAN {sql}", **values)]


async def explained(tx: Any, sql: str) -> list[str]:
    text, order = for_postgres(sql)
    for number, value in enumerate(order, 1):
        kind = "BIGINT" if value in ("now", "lease_expires_at", "stale", "far", "wanted", "inline_bytes") else "TEXT"
        text = re.sub(rf"\${number}\b", f"CAST(NULL AS {kind})", text)
    return [row["QUERY PLAN"] for row in await tx.all(f"EXPLAIN {text}")]


async def test_the_reach_of_a_person_does_not_hide_what_opens_behind_them(world: World) -> None:
    """Ben has come past the first tasks when Dee's lease on one of them runs out."""
    await makers.project(world)
    tasks = await makers.batch(world, "Pets", tasks=120)
    held = await makers.claim(world.dee)
    assert held["task"]["task_id"] == tasks[0]
    for _ in range(60):
        await makers.answer(world.ben)
    assert await world.db.read(noted_reach, world.ben.id)
    world.clock.forward(minutes=31)
    assert (await makers.claim(world.ben))["task"]["task_id"] == tasks[0]


async def noted_reach(tx: Any, teammate_id: str) -> str:
    row = await tx.one("SELECT reached FROM dispatch_cursors WHERE teammate_id = :me", me=teammate_id)
    assert row is not None
    return row["reached"]


async def test_a_reach_is_forgotten_when_the_numbers_begin_anew(world: World) -> None:
    """As they do for a database that was taken to another server by a dump."""
    await makers.project(world)
    tasks = await makers.batch(world, "Pets", tasks=3)
    held = await makers.claim(world.ben)
    await makers.claim(world.dee)
    await world.db.write(damaged)
    await world.db.write(work.forget_cursors_ahead, world.clock())
    await world.ben.post(f"/work/{held['claim_id']}/release")
    assert (await makers.claim(world.ben))["task"]["task_id"] == tasks[0]


async def damaged(tx: Any) -> None:
    await tx.run("UPDATE dispatch_cursors SET reached = 'ffffffffffffffffffffffff', seen = 9000000000000000000")


async def test_the_use_of_a_key_is_noted_by_what_succeeds_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that fails has changed nothing, so that others in its commit on SQLite need not be done anew."""

    def never(*_: object) -> None:
        raise AssertionError("a group was done anew")

    monkeypatch.setattr(sqlite.SqliteDatabase, "_do_apart", never)
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=2)
    held = await makers.claim(world.ben)
    assert held is not None
    first = world.clock()
    await world.ben.post(f"/work/{held['claim_id']}/release")
    world.clock.forward(minutes=5)
    await world.ben.refused(409, "POST", f"/work/{held['claim_id']}/extend")
    assert await world.db.read(last_used, world.ben.id) == first
    await makers.claim(world.ben)
    assert await world.db.read(last_used, world.ben.id) == world.clock()


async def last_used(tx: Tx, teammate_id: str) -> int | None:
    row = await tx.one("SELECT MAX(last_used_at) AS at FROM keys WHERE teammate_id = :me", me=teammate_id)
    return row["at"] if row else None


async def test_a_claim_that_is_made_is_answered_though_nothing_more_can_be_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL, what is noted for later claims comes after the claim's own commit."""
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=2)

    async def refused(*_: object) -> None:
        raise Overloaded("things")

    if world.db.engine == "postgresql":
        monkeypatch.setattr(work, "advance_cursor", refused)
    assert await makers.claim(world.ben) is not None


async def test_asking_for_one_batch_notes_nothing_of_others_that_have_work(world: World) -> None:
    await makers.project(world)
    for day in ("Monday", "Tuesday", "Friday"):
        await makers.batch(world, "Pets", day, tasks=2)
    await makers.answer(world.ben, batch="Friday")
    await makers.answer(world.ben, batch="Friday")
    assert await makers.claim(world.ben, batch="Friday") is None
    assert await world.db.read(batches_noted, world.ben.id) <= {"Friday"}
    for _ in range(4):
        await makers.answer(world.ben)
    assert await makers.claim(world.ben) is None


async def batches_noted(tx: Tx, teammate_id: str) -> set[str]:
    rows = await tx.all(
        "SELECT b.name FROM dispatch_cursors r JOIN batches b ON b.id = r.batch_id WHERE r.teammate_id = :me",
        me=teammate_id,
    )
    return {row["name"] for row in rows}


@pytest.mark.parametrize(
    "due", [candidate_store.TRAINING_DUE, candidate_store.EVALUATION_DUE], ids=["training", "evaluation"]
)
def test_sqlite_cannot_mistake_the_index_of_all_tasks_for_that_of_quality_tasks(sqlite_template: Path, due: str):
    """It has done so in a database of 100,000 tasks, where every claim went over all of them."""
    source = due if due.startswith("SELECT") else f"SELECT 1 FROM tasks t WHERE t.project_id = :project AND {due}"
    connection = sqlite3.connect(":memory:")
    sqlite3.connect(sqlite_template).backup(connection)
    connection.execute("DROP INDEX ix_tasks_quality")
    values = {"me": "", "team": "", "mode": "live", "project": None, "batch": None}
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {for_sqlite(source)[0]}", values)]
    assert not [step for step in plan if "ix_tasks_team (team_id=? AND mode=?" in step], plan
