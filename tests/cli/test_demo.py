"""The demo's team: something to look at, and to label."""

import asyncio
import random
import struct
from itertools import pairwise
from typing import Any

import httpx
import pytest

from refonte_studio.config import Settings
from refonte_studio.db import Database, open_database
from refonte_studio.demo.pictures import HEIGHT, WIDTH, png, shapes
from refonte_studio.main import LISTENERS, build
from tests.cli.running import done, refused

Rows = dict[str, tuple[str, str]]  # password and key by name


@pytest.fixture
def people(database_url: str) -> Rows:
    """The demo's people as the command prints them."""
    rows = [line.split() for line in done("demo", "--database", database_url).splitlines()[1:-1]]
    return {email.partition("@")[0]: (password, key) for email, _, password, key in rows}


async def get(db: Database, key: str, path: str) -> Any:
    transport = httpx.ASGITransport(build(db, Settings()))
    async with httpx.AsyncClient(transport=transport, base_url="http://demo") as http:
        answer = await http.get(f"/v1{path}", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200, answer.text
        return answer.json()


def asked(database_url: str, key: str, path: str) -> Any:
    """What the API answers now."""

    async def ask() -> Any:
        db = await open_database(database_url, LISTENERS)
        try:
            return await get(db, key, path)
        finally:
            await db.close()

    return asyncio.run(ask())


def test_there_is_work_done_and_work_for_every_labeler(people: Rows, database_url: str):
    assert set(people) == {"ana", "max", "mia", "ben", "dee", "gus"}
    for status in ("completed", "pending"):
        assert asked(database_url, people["ana"][1], f"/tasks?status={status}&limit=1")["total"] > 0
    attempts = asked(database_url, people["ana"][1], "/quality/labelers?labeler_emails=ben@demo.example")
    assert attempts["docs"]
    for labeler in ("ben", "dee", "gus"):
        assert asked(database_url, people[labeler][1], "/work/queue")["waiting"] > 0


def test_it_is_made_once(people: Rows, database_url: str):
    assert refused(1, "demo", "--database", database_url) == "refonte-studio: there is a team 'Demo' already"


def test_a_picture_is_a_png_of_its_size_with_its_shapes_apart():
    things = shapes(random.Random(1))
    picture = png(things)
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (WIDTH, HEIGHT)
    for left, right in pairwise(things):
        assert left.left + left.size < right.left
