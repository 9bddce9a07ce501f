"""Where a benchmark runs: an empty database of the newest schema, on the engine that its options name."""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.environment.processes import Postgres, own_postgres, somebodys_postgres
from refonte_studio.db.migrate import migrate

WORKERS = 2  # server processes on PostgreSQL


@dataclass(frozen=True, slots=True)
class Target:
    url: str
    postgres: Postgres | None  # None: SQLite

    @property
    def engine(self) -> str:
        return "PostgreSQL" if self.postgres else "SQLite"

    @property
    def workers(self) -> int:
        return WORKERS if self.postgres else 1

    def settle(self) -> None:
        """After very many new rows: what PostgreSQL's autovacuum would do some time, now."""
        if self.postgres:
            asyncio.run(_vacuum(self.url))


async def _vacuum(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


def target_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database", default="", help="URL of an empty database; one of SQLite's own unless given")
    parser.add_argument("--postgresql", action="store_true", help="start a PostgreSQL in a temporary folder")


@contextmanager
def target(options: argparse.Namespace) -> Iterator[Target]:
    """What the options ask for. What was made for it is deleted at the end."""
    with ExitStack() as stack:
        if options.postgresql:
            postgres = stack.enter_context(own_postgres())
        elif options.database.startswith("postgres"):
            postgres = somebodys_postgres(options.database)
        else:
            postgres = None
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="studio-bench-"))
        url = postgres.url if postgres else options.database or f"sqlite:///{Path(folder) / 'studio.db'}"
        migrate(url)
        found = Target(url, postgres)
        print(f"{os.cpu_count()} processors, {found.engine}", flush=True)
        yield found
