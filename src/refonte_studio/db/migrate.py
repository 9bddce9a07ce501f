"""Migrates a database to the latest schema, on either engine. Blocking: it runs before the server's event loop."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from refonte_studio.kit.redaction import redacted

SCRIPTS = Path(__file__).parent / "migrations"
_MIGRATING = 7_204_311  # the advisory lock that serializes migrations of one PostgreSQL database


def migrate(url: str) -> None:
    """Applies all missing migrations. Creates a new SQLite file."""
    with_connection(url, lambda connection: command.upgrade(config_for(connection), "head"))


def check(url: str) -> None:
    """Raises alembic's CommandError if the migrations do not produce exactly the schema."""
    with_connection(url, lambda connection: command.check(config_for(connection)))


def config_for(connection: Connection) -> Config:
    """Returns an Alembic configuration for this connection."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config


def with_connection(url: str, work: Callable[[Connection], None]) -> None:
    """Runs `work` on an SQLAlchemy connection, and commits at the end. Used only for migrations."""
    if not url.startswith("sqlite:///"):
        asyncio.run(_on_postgres(url, work))
        return
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 30})
    event.listen(engine, "connect", _take_over)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        work(connection)
    engine.dispose()


def _take_over(raw: Any, _record: object) -> None:
    """Leaves transactions to the "begin" event: Python's driver would commit each change of a table separately."""
    raw.isolation_level = None
    raw.execute("PRAGMA journal_mode = WAL")


async def _on_postgres(url: str, work: Callable[[Connection], None]) -> None:
    bare = url.removeprefix("postgresql://").removeprefix("postgres://")
    engine = create_async_engine(f"postgresql+asyncpg://{bare}", poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        await connection.run_sync(work)
    await engine.dispose()


if __name__ == "__main__":
    try:
        migrate(os.environ["STUDIO_DATABASE"])
    except (SQLAlchemyError, CommandError, OSError) as failure:
        sys.exit(f"the migration failed: {redacted(str(failure))}")
