"""Very many rows at once, made inside the database: what would take hours through the API.

Each function is one INSERT … SELECT for all batches of a team. The columns are those of the application's schema: one
that must have a value and that nothing here knows of ends the benchmark.
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
PER_MS = 1_000  # tasks made in one millisecond
BULKY = ("tasks", "task_slots", "claims", "attempts")


@dataclass(frozen=True, slots=True)
class Heap:
    """Tasks of a team, the same number in each of its batches. Their numbers, from `first` on, make their ids."""

    postgres: bool
    team_id: str
    per_batch: int
    first: int
    made_at: int  # milliseconds, as everywhere

    @property
    def number(self) -> str:
        return f"({self.first} + b.k * {self.per_batch} + n.i)"

    @property
    def created_at(self) -> str:
        return f"({self.made_at} + {self.number} / {PER_MS})"

    def id(self, later_ms: int = 0) -> str:
        """An SQL expression for the id of the task, or of what was made so much later for it."""
        time, number = f"{self.created_at} + {later_ms}", self.number
        if self.postgres:
            return f"lpad(to_hex(CAST({time} AS BIGINT)), 12, '0') || lpad(to_hex(CAST({number} AS BIGINT)), 12, '0')"
        return f"printf('%012x%012x', {time}, {number})"

    def task_id(self, number: int) -> str:
        """The id of one of them, by its number from 0 on."""
        return f"{self.made_at + (self.first + number) // PER_MS:012x}{self.first + number:012x}"

    def insert(self, table: str, values: Mapping[str, str], where: str = "1 = 1") -> str:
        """One row for every task (b: its batch, b.k: that one's number, n.i: the task's number in it)."""
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


def tasks(heap: Heap, done: int = 0) -> str:
    """The tasks; the first so many of each batch are completed."""
    ended = f"n.i < {done}"
    at = f"{heap.created_at} + {DAY_MS}"
    before, after = PARAMS.split("%s")
    values = {
        "id": heap.id(),
        "team_id": "b.team_id",
        "mode": "'live'",
        "project_id": "b.project_id",
        "batch_id": "b.id",
        "kind": "'work'",
        "type": "'categorization'",
        "status": f"CASE WHEN {ended} THEN 'completed' ELSE 'pending' END",
        "params": f"'{before}' || {heap.number} || '{after}'",
        "metadata": "'{}'",
        "unique_id": f"'task-' || {heap.number}",
        "response": f"CASE WHEN {ended} THEN '{RESPONSE}' END",
        "project_version": "1",
        "created_at": heap.created_at,
        "updated_at": f"CASE WHEN {ended} THEN {at} ELSE {heap.created_at} END",
        "completed_at": f"CASE WHEN {ended} THEN {at} END",
    }
    return heap.insert("tasks", values)


def places(heap: Heap, done: int = 0, wanted: int = 1, attempts: str = "0") -> str:
    """The places of tasks that are not completed. `attempts`: an SQL expression for how many they have."""
    values = {
        "team_id": "b.team_id",
        "batch_id": "b.id",
        "task_id": heap.id(),
        "wanted": str(wanted),
        "attempts": attempts,
        "open": f"{wanted} - ({attempts})",
    }
    return heap.insert("task_slots", values, f"n.i >= {done}")


def claims(heap: Heap, teammate_id: str, state: str, where: str, number: int = 1) -> str:
    """One person's claims, ended in this state, of the tasks that the condition says; the how-manieth of each."""
    values = {
        "id": heap.id(number * DAY_MS),
        "team_id": "b.team_id",
        "mode": "'live'",
        "task_id": heap.id(),
        "project_id": "b.project_id",
        "batch_id": "b.id",
        "teammate_id": f"'{teammate_id}'",
        "state": f"'{state}'",
        "claimed_at": f"{heap.created_at} + {number * DAY_MS}",
        "lease_expires_at": f"{heap.created_at} + {(number + 1) * DAY_MS}",
        "ended_at": f"{heap.created_at} + {number * DAY_MS}",
    }
    return heap.insert("claims", values, where)


def attempts(heap: Heap, teammate_id: str, where: str, number: int = 1, wanted: int = 1) -> str:
    """The attempts that submitted claims of the same tasks became."""
    values = {
        "id": heap.id(number * DAY_MS),
        "team_id": "b.team_id",
        "mode": "'live'",
        "task_id": heap.id(),
        "project_id": "b.project_id",
        "batch_id": "b.id",
        "teammate_id": f"'{teammate_id}'",
        "number": str(number),
        "wanted": str(wanted),
        "response": f"'{RESPONSE}'",
        "started_at": f"{heap.created_at} + {number * DAY_MS}",
        "submitted_at": f"{heap.created_at} + {number * DAY_MS}",
    }
    return heap.insert("attempts", values, where)


def counts(heap: Heap, done: int = 0) -> str:
    """The numbers of each batch."""
    values = {
        "team_id": "b.team_id",
        "batch_id": "b.id",
        "pending": str(heap.per_batch - done),
        "completed": str(done),
        "canceled": "0",
    }
    into = _insert_into("batch_counts", values)
    return f"{into} SELECT {', '.join(values.values())} FROM ({_batches(heap.team_id)}) AS b"


def run(where: Target, statements: Sequence[str], tell: Callable[[str], None] = print) -> None:
    """Runs them with nobody else at the database, and without care for power cuts meanwhile."""
    if where.postgres:
        asyncio.run(_on_postgres(where.url, statements, tell))
    else:
        _on_sqlite(where.url.removeprefix("sqlite:///"), statements, tell)


def _on_sqlite(path: str, statements: Sequence[str], tell: Callable[[str], None]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    for statement in statements:
        connection.execute(statement)
        made = connection.execute("SELECT changes()").fetchone()[0]
        tell(f"  {made:,} rows: {_first_words(statement)}")
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


async def _on_postgres(url: str, statements: Sequence[str], tell: Callable[[str], None]) -> None:
    """The indexes are taken away for the while, but for those that are constraints."""
    connection = await asyncpg.connect(url)
    await connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'")
    indexes = await connection.fetch(
        """SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY($1)
             AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)""",
        list(BULKY),
    )
    async with connection.transaction():
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['indexname']}")
        for statement in statements:
            made = (await connection.execute(statement)).rpartition(" ")[2]
            tell(f"  {int(made):,} rows: {_first_words(statement)}")
        for index in indexes:
            await connection.execute(index["indexdef"])
    tell(f"  {len(indexes)} indexes")
    await connection.close()


def rows(where: Target, sql: str) -> Sequence[Sequence[Any]]:
    """What a statement answers, on a connection of its own."""
    if where.postgres:
        return asyncio.run(_postgres_rows(where.url, sql))
    connection = sqlite3.connect(where.url.removeprefix("sqlite:///"), isolation_level=None)
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
