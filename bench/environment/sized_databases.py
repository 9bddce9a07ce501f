"""Databases of many sizes, made once by bulk insertion; the large ones may be kept in a folder for later runs.

In each are two teams with as many tasks: one has them in a single open batch, the other in 1,000. The first tenth of
every batch is done. Eight labelers of each team are in one group, which every batch is given to. Eight others are in
64 groups; every batch is given to one of these, too.
"""

import argparse
import asyncio
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
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
from bench.environment.processes import Postgres, own_postgres, serving
from bench.environment.seed import PROJECT, Person, Team, make_project, make_team, post
from bench.environment.target import Target
from refonte_studio.db.migrate import migrate
from refonte_studio.db.schema import metadata

MANY = 1_000  # batches
GROUPS = 64
EVERYBODY = "Everybody"  # the group of those who are in one
LABELERS = 8  # of each kind
DONE = 0.1  # of each batch, from its beginning
USED_UP_AT = 0.7  # of the tasks of a kept database; when fewer are pending it is made anew
COPIED_BELOW = 200_000  # tasks: of a smaller database every measurement gets a copy of its own
BYTES_PER_TASK = 2_000  # on the disk, about; of both teams


class Crowd(msgspec.Struct, frozen=True):
    """One team of a database, and its tasks."""

    name: str
    team: Team
    heap: bulk_insert.Heap
    batches: int

    def keys(self, groups: int) -> list[str]:
        """Of the labelers who are in so many groups: 1 or 64."""
        people = self.team.labelers
        return [person.key for person in (people[:LABELERS] if groups == 1 else people[LABELERS : 2 * LABELERS])]

    @property
    def tasks(self) -> int:
        return self.batches * self.heap.per_batch

    @property
    def done(self) -> int:
        """Tasks of each batch that are completed, its oldest."""
        return round(self.heap.per_batch * DONE)


class Sized(msgspec.Struct, frozen=True):
    """A database with so many tasks in each of its two projects."""

    size: int
    schema: str  # what the tables were like when it was made
    one: Crowd
    many: Crowd

    def crowd(self, batches: int) -> Crowd:
        return self.one if batches == 1 else self.many


class Stock:
    """The databases of an engine, by their size."""

    def __init__(self, folder: Path, postgres: Postgres | None) -> None:
        self._folder = folder
        self._postgres = postgres

    def target(self, name: str) -> Target:
        if self._postgres is None:
            return Target(f"sqlite:///{self._folder / f'{name}.db'}", None)
        url = urlsplit(self._postgres.url)._replace(path=f"/{name}").geturl()
        return Target(url, replace(self._postgres, url=url))

    @contextmanager
    def ready(self, size: int) -> Iterator[tuple[Target, Sized]]:
        """The database, to be measured on."""
        sized = self._there(size) or self._made(size)
        name = _name(size)
        if size >= COPIED_BELOW:
            yield self.target(name), sized
            return
        self._copy(name, "copy")
        try:
            yield self.target("copy"), sized
        finally:
            self._drop("copy")

    def _there(self, size: int) -> Sized | None:
        try:
            sized = msgspec.json.decode((self._folder / f"{_name(size)}.json").read_bytes(), type=Sized)
        except FileNotFoundError:
            return None
        if sized.schema != fingerprint() or self._pending(sized) < USED_UP_AT * size:
            return None
        return sized

    def _pending(self, sized: Sized) -> int:
        """The pending tasks of the team that has fewer."""
        target = self.target(_name(sized.size))
        return min(_pending_of(target, crowd.team.id) for crowd in (sized.one, sized.many))

    def _made(self, size: int) -> Sized:
        name, began = _name(size), time.perf_counter()
        self._drop(name)
        if shutil.disk_usage(self._folder).free < size * BYTES_PER_TASK:
            raise SystemExit(f"the disk is too small for {size:,} tasks")
        self._create(name)
        target = self.target(name)
        migrate(target.url)
        print(f"making a database of {size:,} tasks a project", flush=True)
        one = filled(target, f"One {size}", 1, size, 0)
        many = filled(target, f"Many {size}", MANY, size, size)
        target.settle()
        sized = Sized(size, fingerprint(), one, many)
        (self._folder / f"{name}.json").write_bytes(msgspec.json.encode(sized))
        print(f"  made in {time.perf_counter() - began:.0f} s", flush=True)
        return sized

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
    """Of the schema: a kept database of another one is of no use."""
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
def stock(options: argparse.Namespace) -> Iterator[Stock]:
    """In the folder that the options name, or in one that is deleted afterwards."""
    with ExitStack() as stack:
        folder = options.keep
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="studio-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        cluster = folder / "cluster"
        postgres = stack.enter_context(own_postgres(cluster)) if options.postgresql else None
        print(f"{os.cpu_count()} processors, {'PostgreSQL' if postgres else 'SQLite'}", flush=True)
        yield Stock(folder, postgres)


def stock_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--postgresql", action="store_true", help="start a PostgreSQL of its own")
    parser.add_argument("--keep", type=Path, help="folder where the databases stay; a temporary one unless given")


# ------------------------------------------------------------------------------------------ a team


def filled(target: Target, name: str, batches: int, tasks: int, first: int) -> Crowd:
    """A new team with so many tasks in so many open batches."""
    team = asyncio.run(make_team(target.url, 2 * LABELERS + 1, name))
    made_at = _now_ms() - 30 * bulk_insert.DAY_MS
    heap = bulk_insert.Heap(target.postgres is not None, team.id, tasks // batches, first, made_at)
    crowd = Crowd(name, team, heap, batches)
    names = [f"{name}, {number}" for number in range(batches)]
    with serving(target.url) as server, team.client(server.url) as http:
        make_project(http, team.labelers)
        _group(http, EVERYBODY, team.labelers[:LABELERS])
        for number in range(GROUPS):
            _group(http, f"Group {number}", team.labelers[LABELERS : 2 * LABELERS])
        for batch in names:
            post(http, "/batches", json={"project": PROJECT, "name": batch})
    _fill(target, crowd)
    with serving(target.url) as server, team.client(server.url) as http:
        for number, batch in enumerate(names):
            post(http, f"/studio/batches/{batch}", json={"groups": [EVERYBODY, f"Group {number % GROUPS}"]})
            post(http, f"/batches/{batch}/finalize")
    return crowd


def _group(http: httpx.Client, name: str, members: Sequence[Person]) -> None:
    emails = [person.email for person in members]
    post(http, f"/studio/projects/{PROJECT}/groups", json={"name": name, "emails": emails})


def _fill(target: Target, crowd: Crowd) -> None:
    """The tasks, and what the team's last labeler, who is in no group, has done of them."""
    heap, done, doer = crowd.heap, crowd.done, crowd.team.labelers[-1].id
    statements = [
        bulk_insert.tasks(heap, done),
        bulk_insert.places(heap, done),
        bulk_insert.claims(heap, doer, "submitted", f"n.i < {done}"),
        bulk_insert.attempts(heap, doer, f"n.i < {done}"),
        bulk_insert.counts(heap, done),
    ]
    bulk_insert.run(target, statements, lambda line: print(line, flush=True))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
