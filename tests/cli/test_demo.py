"""The demo: a team with data to look at and tasks to label."""

import asyncio
import random
import struct
from itertools import pairwise
from typing import Any

import httpx
import pytest

from refonte_studio.config import Settings
from refonte_studio.db import Database, Tx, open_database, transfer
from refonte_studio.demo import DemoTeam, put
from refonte_studio.demo.pictures import HEIGHT, WIDTH, png, shapes
from refonte_studio.kit.errors import Conflict
from refonte_studio.main import LISTENERS, build
from tests.cli.run_commands import run_cli, run_failing_cli, running_server
from tests.world import World

Rows = dict[str, tuple[str, str]]  # password and key by name


def made(database_url: str) -> Rows:
    """The demo's people as the command prints them."""
    rows = [line.split() for line in run_cli("demo", "--database", database_url).splitlines()[1:-1]]
    return {email.partition("@")[0]: (password, key) for email, _, password, key in rows}


@pytest.fixture
def people(database_url: str) -> Rows:
    return made(database_url)


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


LABELERS = ("ben", "dee", "gus", "ida", "jon")


def test_there_is_something_to_do_and_something_worth_opening(people: Rows, database_url: str):
    assert set(people) == {"ana", "max", "mia", *LABELERS}

    def seen(path: str, who: str = "ana") -> Any:
        return asked(database_url, people[who][1], path)

    for status in ("completed", "pending"):
        assert seen(f"/tasks?status={status}&limit=1")["total"] > 0
    for labeler in LABELERS:
        assert seen("/work/queue", labeler)["waiting"] > 0
    forecast = seen("/insight/forecast")["batches"]
    assert len(forecast) == 3
    assert all(batch["finish_at"]["median"] for batch in forecast), forecast
    assert seen("/reviews?state=open")["docs"]
    pairs = seen("/insight/disagreement?project=Support%20tickets")["docs"]
    assert all(pair["agreement"] < 1 for pair in pairs)
    figures = seen("/quality/accuracy?project=Support%20tickets")["docs"]
    assert all(figure["evaluated"] for figure in figures)
    assert next(one for one in figures if one["labeler_email"].startswith("gus"))["accuracy"] < 1
    estimates = seen("/projects/Support%20tickets/consensus/labelers")["docs"]
    assert all(0.5 < one["questions"][0]["accuracy"] < 1 for one in estimates)


@pytest.mark.parametrize("time", [1, 2, 3])
def test_it_comes_beside_a_running_server(database_url: str, time: int):
    with running_server(empty=True, STUDIO_DATABASE=database_url) as server:
        people = made(database_url)
        for who in LABELERS:
            headers = {"Authorization": f"Bearer {people[who][1]}"}
            assert httpx.post(f"{server.url}/v1/work/claim", headers=headers).status_code == 200


async def test_it_comes_whole_or_not_at_all(db: Database, world: World):
    """Somebody else makes a team of the same name while the demo is being made."""
    columns = ("id", "name", "callback_secret", "alias_key", "created_at")
    teams = [transfer.Contents("teams", columns, [[name, name, "secret", "key", 1]]) for name in ("Demo", "Refonte")]
    with pytest.raises(Conflict, match="there is a team 'Demo' already"):
        await put(db, DemoTeam([], teams))

    async def names(tx: Tx) -> list[str]:
        return [row["name"] for row in await tx.all("SELECT name FROM teams ORDER BY name")]

    assert await db.read(names) == ["Other", "Refonte"]


def test_it_is_made_once(people: Rows, database_url: str):
    assert "there is a team 'Demo' already" in run_failing_cli(1, "demo", "--database", database_url)


def test_a_picture_is_a_png_of_its_size_with_its_shapes_apart():
    things = shapes(random.Random(1))
    picture = png(things)
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (WIDTH, HEIGHT)
    for left, right in pairwise(things):
        assert left.left + left.size < right.left
