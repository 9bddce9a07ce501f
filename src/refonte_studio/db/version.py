"""The schema version of a database, read without loading the migration tools."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

VERSIONS = Path(__file__).parent / "migrations" / "versions"
CONNECT_TIMEOUT_S = 10
HINT = ": in its user and password, percent-encode all but letters and digits, as in p%40ss for p@ss"


def newest() -> str:
    """Returns the number of the latest migration."""
    return max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


def current(url: str) -> str | None:
    """Returns the number of the last migration applied to the database; None if it is empty or does not exist."""
    if url.startswith("sqlite:///"):
        return _of_sqlite(url.removeprefix("sqlite:///"))
    return asyncio.run(_of_postgres(url))


def make_current(url: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Applies missing migrations in a child process, so that their memory is released afterwards.

    Calls `meanwhile` in this process while the other one works. Raises MigrationFailed.
    """
    present = current(url)
    if present is not None and present > newest():
        raise MigrationFailed(f"the database has schema {present}, and this version of Refonte Studio knows {newest()}")
    if present == newest():
        return
    environment = os.environ | {"STUDIO_DATABASE": url}
    migration = subprocess.Popen([sys.executable, "-m", "refonte_studio.db.migrate"], env=environment)
    try:
        meanwhile()
    finally:
        failed = migration.wait() != 0
    if failed:
        raise MigrationFailed(f"the database could not be brought to schema {newest()}; see above")


class MigrationFailed(Exception):
    """The migration failed; the database keeps its schema."""


def _of_sqlite(path: str) -> str | None:
    if not Path(path).exists():
        return None
    connection = sqlite3.connect(path, timeout=CONNECT_TIMEOUT_S)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        if "no such table" in str(error):
            return None
        raise MigrationFailed(f"the database {path} cannot be read: {error}") from error
    finally:
        connection.close()
    return row[0] if row else None


async def _of_postgres(url: str) -> str | None:
    import asyncpg

    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
    except ValueError as error:  # its message may contain part of the password
        raise MigrationFailed(f"the database URL cannot be read{HINT}") from error
    except (asyncpg.PostgresError, OSError, TimeoutError) as error:
        raise MigrationFailed(f"the database cannot be reached: {error}") from error
    try:
        return await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
