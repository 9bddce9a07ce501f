"""A server of this version opens databases of other versions."""

import asyncio
import secrets
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from sqlalchemy import text

from refonte_studio.db.migrate import check, migrate, with_connection
from refonte_studio.db.version import MigrationFailed, current, make_current, newest
from tests.conftest import ENGINES


async def _new_database(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


@pytest.fixture(params=ENGINES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    base: str = request.getfixturevalue("postgres_url")
    name = f"empty_{secrets.token_hex(6)}"
    asyncio.run(_new_database(base, name))
    return urlunsplit(urlsplit(base)._replace(path=f"/{name}"))


def test_an_empty_database_comes_to_the_newest_schema(empty: str) -> None:
    assert current(empty) is None
    migrate(empty)
    assert current(empty) == newest()
    check(empty)


def test_migrating_twice_changes_nothing(empty: str) -> None:
    team = "INSERT INTO teams (id, name, callback_secret, alias_key, created_at) VALUES ('t', 'Acme', 's', 'k', 1)"
    names: list[str] = []
    migrate(empty)
    with_connection(empty, lambda bind: bind.execute(text(team)))
    migrate(empty)
    with_connection(empty, lambda bind: names.extend(bind.execute(text("SELECT name FROM teams")).scalars()))
    assert names == ["Acme"]


def test_a_database_of_a_later_version_is_refused_and_named(empty: str) -> None:
    migrate(empty)
    with_connection(empty, lambda bind: bind.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(MigrationFailed, match="the database has schema 9999"):
        make_current(empty)
    assert current(empty) == "9999"
