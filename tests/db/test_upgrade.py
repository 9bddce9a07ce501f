"""What becomes of a database with rows in it when it is brought to the newest schema."""

import asyncio
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.engine import Connection

from refonte_studio.db.migrate import config_for, migrate, with_connection
from refonte_studio.kit.clock import DAY_MS, system_clock
from tests.conftest import ENGINES


async def _new_database(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


@pytest.fixture(params=ENGINES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with the schema before the newest."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.db'}"
    else:
        base: str = request.getfixturevalue("postgres_url")
        name = f"old_{secrets.token_hex(6)}"
        asyncio.run(_new_database(base, name))
        url = urlunsplit(urlsplit(base)._replace(path=f"/{name}"))
    with_connection(url, lambda connection: command.upgrade(config_for(connection), "0003"))
    return url


def run(url: str, *statements: str) -> None:
    def work(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    with_connection(url, work)


def rows(url: str, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with_connection(
        url, lambda connection: found.extend(dict(row) for row in connection.execute(text(query)).mappings())
    )
    return found


def callback(id_: str, event: str, subject: str, tries: int, created_at: int, state: str = "waiting") -> str:
    values = f"'{id_}', 't', 'live', 'https://a.example/', '{event}', '{subject}', '{state}', {tries}, 5, {created_at}"
    return f"""INSERT INTO callbacks (id, team_id, mode, url, event, subject_id, state, tries, next_try_at, created_at)
        VALUES ({values})"""


def test_callbacks_that_were_stuck_start_over_or_are_given_up(old: str) -> None:
    now = system_clock()
    run(
        old,
        callback("a-ancient", "task.changed", "1", 9_000, now - 31 * DAY_MS),
        callback("b-repeated", "task.changed", "2", 4_000, now - 2 * DAY_MS),
        callback("c-newest", "task.changed", "2", 3_000, now - DAY_MS),
        callback("d-other", "task.changed", "3", 0, now),
        callback("e-poisoned", "task.completed", "2", 500, now - DAY_MS),
        callback("f-sound", "task.completed", "4", 2, now - DAY_MS),
        callback("g-delivered", "task.changed", "2", 1, now, "delivered"),
        callback("h-failed", "task.completed", "5", 12, now, "failed"),
    )
    migrate(old)
    after = {row["id"][0]: row for row in rows(old, "SELECT * FROM callbacks")}
    assert {each: row["state"] for each, row in after.items()} == {
        "a": "failed",
        "b": "failed",
        "c": "waiting",
        "d": "waiting",
        "e": "waiting",
        "f": "waiting",
        "g": "delivered",
        "h": "failed",
    }
    assert after["a"]["last_error"] == "it could not be sent for 30 days"
    assert after["b"]["last_error"] == "a later callback tells of the same"
    assert [after[each]["tries"] for each in "cde"] == [0, 0, 0], "they have all their tries before them"
    due = [after[each]["next_try_at"] for each in "cde"]
    assert due == sorted(set(due)), "and do not come all at once"
    assert 0 < due[0] - now < 60_000
    assert (after["f"]["tries"], after["f"]["next_try_at"]) == (2, 5)
    assert after["c"]["lane"] == "t task.changed 00 again"
    assert after["g"]["lane"] == ""


def test_a_database_without_rows_comes_to_the_newest_schema(old: str) -> None:
    migrate(old)
    assert rows(old, "SELECT * FROM callbacks") == []
