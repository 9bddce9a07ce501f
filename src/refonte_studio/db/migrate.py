"""Brings a database to the newest schema, on either engine. Blocking: it runs before the server's event loop does."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

SCRIPTS = Path(__file__).parent / "migrations"
_MIGRATING = 7_204_311  # the advisory lock that keeps migrations of one PostgreSQL apart


def migrate(url: str) -> None:
    """Applies every migration that the database lacks. A new SQLite file is created."""
    with_connection(url, lambda connection: command.upgrade(config_for(connection), "head"))


def check(url: str) -> None:
    """Raises alembic's CommandError if the migrations do not give exactly the schema."""
    with_connection(url, lambda connection: command.check(config_for(connection)))


def config_for(connection: Connection) -> Config:
    """An Alembic configuration that works on this connection."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config


def with_connection(url: str, work: Callable[[Connection], None]) -> None:
    """Runs `work` on a connection of SQLAlchemy's, committed at the end. Used for migrations alone."""
    if not url.startswith("sqlite:///"):
        asyncio.run(_on_postgres(url, work))
        return
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 30})
    event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA journal_mode = WAL"))
    with engine.begin() as connection:
        work(connection)
    engine.dispose()


async def _on_postgres(url: str, work: Callable[[Connection], None]) -> None:
    bare = url.removeprefix("postgresql://").removeprefix("postgres://")
    engine = create_async_engine(f"postgresql+asyncpg://{bare}", poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        await connection.run_sync(work)
    await engine.dispose()
