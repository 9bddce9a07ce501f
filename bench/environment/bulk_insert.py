"""Inserts millions of rows inside the database, which would take hours through the API.

Each function returns one INSERT … SELECT for all batches of a team. The columns are checked against the application's
schema: a required column that this module does not know ends the benchmark.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from bench.environment.target import Target
from refonte_studio.db.schema import metadata

PARAMS = '{"attachment":"https://example.com/%s.jpg","attachment_type":"image","categories":["a","b"]}'
RESPONSE = '{"category":"a"}'
DAY_MS = 86_400_000
PER_MS = 1_000  # tasks with the same creation time
BULK_TABLES = ("tasks", "task_slots", "claims", "attempts")


@dataclass(frozen=True, slots=True)
class TaskBlock:
    """Tasks of a team, the same number in each of its batches.

    The tasks are numbered from `first`; a task's id follows from its number and creation time.
    """

    postgres: bool
    team_id: str
    per_batch: int
    first: int
    made_at: int  # milliseconds since the epoch

    @property
    def number(self) -> str:
        return f"({self.first} + b.k * {self.per_batch} + n.i)"

    @property
    def created_at(self) -> str:
        return f"({self.made_at} + {self.number} / {PER_MS})"

    def id(self, later_ms: int = 0) -> str:
        """An SQL expression for the task's id, or for the id of a row made `later_ms` later for the task."""
        time, number = f"{self.created_at} + {later_ms}", self.number
        if self.postgres:
            return f"lpad(to_hex(CAST({time} AS BIGINT)), 12, '0') || lpad(to_hex(CAST({number} AS BIGINT)), 12, '0')"
        return f"printf('%012x%012x', {time}, {number})"

    def task_id(self, number: int) -> str:
        """The id of one task; `number` counts from 0."""
        return f"{self.made_at + (self.first + number) // PER_MS:012x}{self.first + number:012x}"

    def insert(self, table: str, values: Mapping[str, str], where: str = "1 = 1") -> str:
        """Inserts one row per task: b is its batch, b.k the batch's number, n.i the task's number in the batch."""
        numbers = (
            "" if self.postgres else f"n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {self.per_batch}),"
        )
        series = f"LATERAL generate_series(0, {self.per_batch - 1}) AS n(i)" if self.postgres else "n"
        return f"""WITH RECURSIVE {numbers} b AS ({_batches(self.team_id)})
            {_insert_into(table, values)}
            SELECT {", ".join(values.values())} FROM b CROSS JOIN {series} WHERE {where}"""


def _batches(team_id: str) -> str:
    return f"""SELECT id, team_id, project_id, row_number() OVER (ORDER BY id) - 1 AS k FROM batches
        WHERE team_id = '{team_id}' AND mode = 'live' AND NOT is_default ORDER BY id"""


def _insert_into(table: str, values: Mapping[str, str]) -> str:
    columns = metadata.tables[table].columns
    needed = {c.name for c in columns if not c.nullable and c.server_default is None and c.autoincrement is not True}
    if not values.keys() <= set(columns.keys()) or not needed <= values.keys():
        raise SystemExit(f"the columns of {table} are not those that this module knows: {sorted(columns.keys())}")
    return f"INSERT INTO {table} ({', '.join(values)})"


def tasks(block: TaskBlock, done: int = 0) -> str:
    """Inserts the tasks. The first `done` of each batch are completed."""
    ended = f"n.i < {done}"
    at = f"{block.created_at} + {DAY_MS}"
    before, after = PARAMS.split("%s")
    values = {
        "id": block.id(),
        "team_id": "b.team_id",
        "mode": "'live'",
        "project_id": "b.project_id",
        "batch_id": "b.id",
        "kind": "'work'",
        "type": "'categorization'",
        "status": f"CASE WHEN {ended} THEN 'completed' ELSE 'pending' END",
        "params": f"'{before}' || {block.number} || '{after}'",
        "metadata": "'{}'",
        "unique_id": f"'task-' || {block.number}",
        "response": f"CASE WHEN {ended} THEN '{RESPONSE}' END",
        "project_version": "1",
        "created_at": block.created_at,
        "updated_at": f"CASE WHEN {ended} THEN {at} ELSE {block.created_at} END",
        "completed_at": f"CASE WHEN {ended} THEN {at} END",
    }
    return block.insert("tasks", values)


def task_slots(block: TaskBlock, done: int = 0, wanted: int = 1, attempts: str = "0") -> str:
    """Inserts the slots of all but the first `done` tasks. `attempts`: an SQL expression for their attempts so far."""
    values = {
        "team_id": "b.team_id",
        "batch_id": "b.id",
        "task_id": block.id(),
        "wanted": str(wanted),
        "attempts": attempts,
        "open": f"{wanted} - ({attempts})",
    }
    return block.insert("task_slots", values, f"n.i >= {done}")


def _of_person(block: TaskBlock, teammate_id: str, number: int) -> dict[str, str]:
    """The columns that claims and attempts share."""
    return {
        "id": block.id(number * DAY_MS),
        "team_id": "b.team_id",
        "mode": "'live'",
        "task_id": block.id(),
        "project_id": "b.project_id",
        "batch_id": "b.id",
        "teammate_id": f"'{teammate_id}'",
    }


def claims(block: TaskBlock, teammate_id: str, state: str, where: str, number: int = 1) -> str:
    """Inserts one person's ended claims of the tasks that match `where`. `number` is the claim's number per task."""
    values = {
        **_of_person(block, teammate_id, number),
        "state": f"'{state}'",
        "claimed_at": f"{block.created_at} + {number * DAY_MS}",
        "lease_expires_at": f"{block.created_at} + {(number + 1) * DAY_MS}",
        "ended_at": f"{block.created_at} + {number * DAY_MS}",
    }
    return block.insert("claims", values, where)


def attempts(block: TaskBlock, teammate_id: str, where: str, number: int = 1, wanted: int = 1) -> str:
    """Inserts the attempts of submitted claims. `number` is the attempt number per task, starting at 1."""
    values = {
        **_of_person(block, teammate_id, number),
        "number": str(number),
        "wanted": str(wanted),
        "response": f"'{RESPONSE}'",
        "started_at": f"{block.created_at} + {number * DAY_MS}",
        "submitted_at": f"{block.created_at} + {number * DAY_MS}",
    }
    return block.insert("attempts", values, where)


def counts(block: TaskBlock, done: int = 0) -> str:
    """Inserts the task counts of each batch."""
    values = {
        "team_id": "b.team_id",
        "batch_id": "b.id",
        "pending": str(block.per_batch - done),
        "completed": str(done),
        "canceled": "0",
    }
    into = _insert_into("batch_counts", values)
    return f"{into} SELECT {', '.join(values.values())} FROM ({_batches(block.team_id)}) AS b"


def run(target: Target, statements: Sequence[str], report: Callable[[str], None] = print) -> None:
    """Runs statements in one transaction, without durability. Nothing else may use the database meanwhile."""
    if target.postgres:
        asyncio.run(_on_postgres(target.url, statements, report))
    else:
        _on_sqlite(target.url.removeprefix("sqlite:///"), statements, report)


def _on_sqlite(path: str, statements: Sequence[str], report: Callable[[str], None]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    for statement in statements:
        connection.execute(statement)
        made = connection.execute("SELECT changes()").fetchone()[0]
        report(f"  {made:,} rows: {_first_words(statement)}")
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


async def _on_postgres(url: str, statements: Sequence[str], report: Callable[[str], None]) -> None:
    """Drops the indexes that are not constraints for as long as it takes, and makes them again."""
    connection = await asyncpg.connect(url)
    await connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'")
    indexes = await connection.fetch(
        """SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY($1)
             AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)""",
        list(BULK_TABLES),
    )
    async with connection.transaction():
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['indexname']}")
        for statement in statements:
            made = (await connection.execute(statement)).rpartition(" ")[2]
            report(f"  {int(made):,} rows: {_first_words(statement)}")
        for index in indexes:
            await connection.execute(index["indexdef"])
    report(f"  {len(indexes)} indexes")
    await connection.close()


def rows(target: Target, sql: str) -> Sequence[Sequence[Any]]:
    """The rows of a query, on a connection of its own."""
    if target.postgres:
        return asyncio.run(_postgres_rows(target.url, sql))
    connection = sqlite3.connect(target.url.removeprefix("sqlite:///"), isolation_level=None)
    found = connection.execute(sql).fetchall()
    connection.close()
    return found


async def _postgres_rows(url: str, sql: str) -> Sequence[Sequence[Any]]:
    connection = await asyncpg.connect(url)
    found = await connection.fetch(sql)
    await connection.close()
    return found


def _first_words(statement: str) -> str:
    return statement[statement.index("INSERT INTO") :].partition(" (")[0]
