"""Databases of many sizes, filled once by bulk insertion; they may be kept in a folder for later runs.

Each has two teams with equally many tasks: one team has them in a single open batch, the other in 1,000. The first
tenth of every batch is completed. Eight labelers of each team are in one group that every batch is given to. Eight
others are in 64 groups; every batch is also given to one of these.
"""

import argparse
import asyncio
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import msgspec
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from bench.environment import bulk_insert
from bench.environment.bulk_insert import TaskBlock
from bench.environment.postgres import Postgres, started_postgres
from bench.environment.seed import PROJECT, Person, Team, make_project, make_team, post
from bench.environment.servers import running_server
from bench.environment.target import Target
from refonte_studio.db.migrate import migrate
from refonte_studio.db.schema import metadata

MANY = 1_000  # batches
GROUPS = 64
EVERYBODY = "Everybody"  # the group that every batch is given to
LABELERS = 8  # in that group, and as many in all of the others
COMPLETED = 0.1  # of each batch, from its beginning
LEAST_PENDING = 0.7  # a kept database with a smaller share of pending tasks is made again
COPIED_BELOW = 200_000  # tasks; smaller databases are copied for each measurement, so that they are not used up
BYTES_PER_TASK = 2_000  # on the disk, approximately, for both teams
AGE_MS = 30 * bulk_insert.DAY_MS  # of the tasks when they are inserted


class Workload(msgspec.Struct, frozen=True):
    """One team of a database, and its tasks."""

    name: str
    team: Team
    block: TaskBlock
    batches: int

    def keys(self, groups: int) -> list[str]:
        """The keys of the labelers who are in that many groups: 1 or 64."""
        people = self.team.labelers
        return [person.key for person in (people[:LABELERS] if groups == 1 else people[LABELERS : 2 * LABELERS])]

    @property
    def completed(self) -> int:
        """How many tasks of each batch are completed; they are its oldest."""
        return round(self.block.per_batch * COMPLETED)


class SizedDatabase(msgspec.Struct, frozen=True):
    """A database with `size` tasks in each of its two projects."""

    size: int
    schema: str  # the fingerprint of the tables when it was made
    one: Workload
    many: Workload

    def workload(self, batches: int) -> Workload:
        return self.one if batches == 1 else self.many


class SizedDatabases:
    """The databases of one engine, by size. They are made when they are first needed."""

    def __init__(self, folder: Path, postgres: Postgres | None) -> None:
        self._folder = folder
        self._postgres = postgres

    @contextmanager
    def ready(self, size: int) -> Generator[tuple[Target, SizedDatabase]]:
        """A database of this size that may be measured on, and changed."""
        database = self._kept(size) or self._make(size)
        name = _name(size)
        if size >= COPIED_BELOW:
            yield self._target(name), database
            return
        self._copy(name, "copy")
        try:
            yield self._target("copy"), database
        finally:
            self._drop("copy")

    def _target(self, name: str) -> Target:
        if self._postgres is None:
            return Target(f"sqlite:///{self._folder / f'{name}.db'}", None)
        url = urlsplit(self._postgres.url)._replace(path=f"/{name}").geturl()
        return Target(url, replace(self._postgres, url=url))

    def _kept(self, size: int) -> SizedDatabase | None:
        """The database of an earlier run, unless its schema is old or too few of its tasks are pending."""
        try:
            database = msgspec.json.decode((self._folder / f"{_name(size)}.json").read_bytes(), type=SizedDatabase)
        except FileNotFoundError:
            return None
        if database.schema != fingerprint() or self._pending(database) < LEAST_PENDING * size:
            return None
        return database

    def _pending(self, database: SizedDatabase) -> int:
        """The pending tasks of the team that has fewer."""
        target = self._target(_name(database.size))
        return min(_pending_of(target, workload.team.id) for workload in (database.one, database.many))

    def _make(self, size: int) -> SizedDatabase:
        name, began = _name(size), time.perf_counter()
        self._drop(name)
        if shutil.disk_usage(self._folder).free < size * BYTES_PER_TASK:
            raise SystemExit(f"the disk is too small for {size:,} tasks")
        self._create(name)
        target = self._target(name)
        migrate(target.url)
        print(f"making a database of {size:,} tasks a project", flush=True)
        one = _make_workload(target, f"One {size}", 1, size, 0)
        many = _make_workload(target, f"Many {size}", MANY, size, size)
        target.settle()
        database = SizedDatabase(size, fingerprint(), one, many)
        (self._folder / f"{name}.json").write_bytes(msgspec.json.encode(database))
        print(f"  made in {time.perf_counter() - began:.0f} s", flush=True)
        return database

    def _create(self, name: str, template: str = "template1") -> None:
        if self._postgres is not None:
            asyncio.run(_execute(self._postgres.url, f"CREATE DATABASE {name} TEMPLATE {template}"))

    def _copy(self, name: str, to: str) -> None:
        self._drop(to)
        if self._postgres is None:
            shutil.copy(self._folder / f"{name}.db", self._folder / f"{to}.db")
        self._create(to, name)

    def _drop(self, name: str) -> None:
        (self._folder / f"{name}.json").unlink(missing_ok=True)
        if self._postgres is not None:
            asyncio.run(_execute(self._postgres.url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        for suffix in ("", "-wal", "-shm"):
            (self._folder / f"{name}.db{suffix}").unlink(missing_ok=True)


def _name(size: int) -> str:
    return f"tasks_{size}"


def fingerprint() -> str:
    """Identifies the schema: a kept database with another one is of no use."""
    tables = [str(CreateTable(table).compile(dialect=postgresql.dialect())) for table in metadata.sorted_tables]
    indexes = sorted(f"{index.name} {index.expressions}" for table in metadata.sorted_tables for index in table.indexes)
    return hashlib.sha256("\n".join([*tables, *indexes]).encode()).hexdigest()[:16]


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


def _pending_of(target: Target, team_id: str) -> int:
    rows = bulk_insert.rows(
        target,
        f"""SELECT SUM(pending) FROM (SELECT pending FROM batch_counts WHERE team_id = '{team_id}'
            UNION ALL SELECT pending FROM batch_deltas WHERE team_id = '{team_id}') AS parts""",
    )
    return int(rows[0][0] or 0)


@contextmanager
def sized_databases(options: argparse.Namespace) -> Generator[SizedDatabases]:
    """The databases in the folder that the options name, or in a temporary one."""
    with ExitStack() as stack:
        folder = options.keep
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="studio-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        cluster = folder / "cluster"
        postgres = stack.enter_context(started_postgres(cluster)) if options.postgresql else None
        print(f"{os.cpu_count()} processors, {'PostgreSQL' if postgres else 'SQLite'}", flush=True)
        yield SizedDatabases(folder, postgres)


def add_sized_database_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--postgresql", action="store_true", help="start a PostgreSQL of its own")
    parser.add_argument("--keep", type=Path, help="folder where the databases stay; a temporary one by default")


def _make_workload(target: Target, name: str, batches: int, tasks: int, first: int) -> Workload:
    """A new team with `tasks` tasks in `batches` open batches; the tasks are numbered from `first`."""
    team = asyncio.run(make_team(target.url, 2 * LABELERS + 1, name))
    made_at = time.time_ns() // 1_000_000 - AGE_MS
    block = TaskBlock(target.postgres is not None, team.id, tasks // batches, first, made_at)
    workload = Workload(name, team, block, batches)
    names = [f"{name}, {number}" for number in range(batches)]
    with running_server(target.url) as server, team.client(server.url) as http:
        make_project(http, team.labelers)
        _make_group(http, EVERYBODY, team.labelers[:LABELERS])
        for number in range(GROUPS):
            _make_group(http, f"Group {number}", team.labelers[LABELERS : 2 * LABELERS])
        for batch in names:
            post(http, "/batches", json={"project": PROJECT, "name": batch})
    _insert_rows(target, workload)
    with running_server(target.url) as server, team.client(server.url) as http:
        for number, batch in enumerate(names):
            post(http, f"/studio/batches/{batch}", json={"groups": [EVERYBODY, f"Group {number % GROUPS}"]})
            post(http, f"/batches/{batch}/finalize")
    return workload


def _make_group(http: httpx.Client, name: str, members: Sequence[Person]) -> None:
    emails = [person.email for person in members]
    post(http, f"/studio/projects/{PROJECT}/groups", json={"name": name, "emails": emails})


def _insert_rows(target: Target, workload: Workload) -> None:
    """Inserts the tasks, and the work that the team's last labeler, who is in no group, has done on them."""
    block, completed, labeler_id = workload.block, workload.completed, workload.team.labelers[-1].id
    statements = [
        bulk_insert.tasks(block, completed),
        bulk_insert.task_slots(block, completed),
        bulk_insert.claims(block, labeler_id, "submitted", f"n.i < {completed}"),
        bulk_insert.attempts(block, labeler_id, f"n.i < {completed}"),
        bulk_insert.counts(block, completed),
    ]
    bulk_insert.run(target, statements, lambda line: print(line, flush=True))
