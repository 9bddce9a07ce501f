"""The one-time set-up of an empty server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from refonte_studio.config import Settings
from refonte_studio.db import Database
from refonte_studio.teams import service
from tests.teams.makers import PASSWORD, Browser
from tests.world import BASE, Clock, World, ok

ANA = {
    "team": "Refonte",
    "email": "Ana@example.com",
    "first_name": "Ana",
    "last_name": "Ruiz",
    "password": PASSWORD,
}


@pytest.fixture
async def empty(db: Database) -> AsyncIterator[World]:
    """A server without a team."""
    world = World(db, Clock(), Settings(public_url=BASE))
    yield world
    await world.close()


async def link(world: World) -> str:
    token = await world.db.write(service.new_setup_link, world.clock())
    assert token is not None
    return token


async def set_up(world: World, token: str, **changes: Any) -> httpx.Response:
    async with world.client() as client:
        return await client.post("/v1/setup", json={"token": token, **ANA, **changes})


async def test_the_link_makes_a_team_and_its_admin_who_is_signed_in(empty: World):
    browser = Browser(empty)
    session = ok(await browser.call("POST", "/setup", {"token": await link(empty), **ANA}))
    browser.csrf = session["csrf_token"]
    assert session["team"]["name"] == "Refonte"
    assert session["teammate"] == {
        "email": "ana@example.com",
        "role": "admin",
        "disableRapidEmails": False,
        "isStudioLabeler": False,
        "firstName": "Ana",
        "lastName": "Ruiz",
    }
    assert "people" in session["permissions"]
    ok(await browser.call("POST", "/keys", {"mode": "live", "name": "first"}))
    assert (await Browser(empty).sign_in("ana@example.com")).status_code == 200


async def test_the_link_works_once(empty: World):
    token = await link(empty)
    ok(await set_up(empty, token))
    assert (await set_up(empty, token, team="Again")).status_code == 404


async def test_of_many_set_ups_at_once_one_wins(empty: World):
    token = await link(empty)
    responses = await asyncio.gather(*(set_up(empty, token, team=f"Team {n}") for n in range(5)))
    assert sorted(response.status_code for response in responses) == [200, *[404] * 4]


async def test_an_unknown_link_is_not_found_even_with_bad_input(empty: World):
    await link(empty)
    assert (await set_up(empty, "nonsense")).status_code == 404
    assert (await set_up(empty, "nonsense", password="short")).status_code == 404


async def test_a_new_link_voids_the_one_before(empty: World):
    old, new = await link(empty), await link(empty)
    assert (await set_up(empty, old)).status_code == 404
    ok(await set_up(empty, new))


async def test_of_links_made_at_once_one_is_good(empty: World):
    tokens = await asyncio.gather(*(link(empty) for _ in range(5)))
    statuses = [(await set_up(empty, token, password="short")).status_code for token in tokens]
    assert sorted(statuses) == [400, *[404] * 4]


async def test_with_a_team_there_is_no_link_and_an_older_one_is_void(empty: World):
    token = await link(empty)
    await empty.db.write(service.create_team, "Made by the CLI", empty.clock())
    assert await empty.db.write(service.new_setup_link, empty.clock()) is None
    assert (await set_up(empty, token)).status_code == 404


async def test_bad_input_leaves_the_link_good(empty: World):
    token = await link(empty)
    for change in (
        {"team": " "},
        {"team": "x" * 201},
        {"email": "nonsense"},
        {"first_name": ""},
        {"last_name": "\x1b"},
        {"password": "short"},
    ):
        response = await set_up(empty, token, **change)
        assert response.status_code == 400, change
    ok(await set_up(empty, token))
