"""Where a benchmark runs: an empty database of the newest schema, on the engine that its options name."""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.environment.postgres import Postgres, existing_postgres, started_postgres
from refonte_studio.db.migrate import migrate

WORKERS = 2  # server processes on PostgreSQL


@dataclass(frozen=True, slots=True)
class Target:
    """A database to measure on."""

    url: str
    postgres: Postgres | None  # None: SQLite

    @property
    def engine(self) -> str:
        return "PostgreSQL" if self.postgres else "SQLite"

    @property
    def workers(self) -> int:
        """How many server processes the benchmarks start on it."""
        return WORKERS if self.postgres else 1

    def settle(self) -> None:
        """Does at once what PostgreSQL's autovacuum would do later, after many new rows."""
        if self.postgres:
            asyncio.run(_vacuum(self.url))


async def _vacuum(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


def add_target_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database", default="", help="URL of an empty database; a temporary SQLite file by default")
    parser.add_argument("--postgresql", action="store_true", help="start a PostgreSQL in a temporary folder")


@contextmanager
def empty_target(options: argparse.Namespace) -> Generator[Target]:
    """The empty database that the options ask for. Whatever was made for it is deleted at the end."""
    with ExitStack() as stack:
        if options.postgresql:
            postgres = stack.enter_context(started_postgres())
        elif options.database.startswith("postgres"):
            postgres = existing_postgres(options.database)
        else:
            postgres = None
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="studio-bench-"))
        url = postgres.url if postgres else options.database or f"sqlite:///{Path(folder) / 'studio.db'}"
        migrate(url)
        target = Target(url, postgres)
        print(f"{os.cpu_count()} processors, {target.engine}", flush=True)
        yield target
