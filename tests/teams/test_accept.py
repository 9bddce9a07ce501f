"""Accepting an invitation."""

import asyncio

from refonte_studio.config import Settings
from tests.teams.makers import PASSWORD, Browser, accept, invited, person
from tests.world import World, ok


async def test_the_invited_person_joins_with_the_invited_role_and_is_signed_in(world: World):
    browser = Browser(world)
    token = await invited(world, "eve@x.test", "manager")
    response = await browser.call(
        "POST",
        "/invitations/accept",
        {"token": token, "first_name": " Eve ", "last_name": "Stone", "password": PASSWORD},
    )
    eve = {
        "email": "eve@x.test",
        "role": "manager",
        "disableRapidEmails": False,
        "isStudioLabeler": False,
        "firstName": "Eve",
        "lastName": "Stone",
    }
    assert ok(response) == eve
    assert person(await world.ana.get("/teams"), "eve@x.test") == eve
    session = ok(await browser.call("GET", "/session"))
    assert session["teammate"] == eve
    assert len(ok(await browser.call("GET", "/teams"))) == 6


async def test_the_cookie_is_kept_from_scripts_and_other_sites(world: World):
    response = await accept(world, await invited(world, "eve@x.test"))
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("studio_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={30 * 86_400}"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


async def test_over_tls_the_cookie_travels_over_tls_only(world: World):
    secure = World(world.db, world.clock, Settings(public_url="https://studio.test"))
    response = await accept(secure, await invited(world, "eve@x.test"))
    assert "Secure" in response.headers["set-cookie"].split("; ")
    await secure.close()


async def test_an_unknown_used_or_expired_token_is_not_found(world: World):
    token = await invited(world, "eve@x.test")
    other = await invited(world, "kim@x.test")
    assert (await accept(world, "nonsense")).status_code == 404
    ok(await accept(world, token))
    response = await accept(world, token)
    assert response.status_code == 404
    assert response.json()["status_code"] == 404
    assert token in response.json()["error"]
    world.clock.forward(days=7)
    assert (await accept(world, other)).status_code == 404


async def test_an_invitation_is_good_to_the_end_of_its_time(world: World):
    token = await invited(world, "eve@x.test")
    world.clock.forward(days=7, seconds=-0.001)
    ok(await accept(world, token))


async def test_a_bad_token_goes_before_bad_input(world: World):
    assert (await accept(world, "nonsense", password="short")).status_code == 404


async def test_bad_names_and_passwords_leave_the_invitation_open(world: World):
    token = await invited(world, "eve@x.test")
    for change, named in (
        ({"password": "short"}, "password must have 12 to 1,000 characters"),
        ({"password": "x" * 1_001}, "password"),
        ({"password": "1q2w3e4R5T6Y"}, "password is one of the most common"),
        ({"first_name": "   "}, "first_name"),
        ({"last_name": "a\x07b"}, "last_name"),
        ({"last_name": "x" * 201}, "last_name"),
        ({"first_name": "a\x00b"}, "first_name"),
        ({"first_name": 7}, "first_name"),
        ({"last_name": None}, "last_name"),
    ):
        response = await accept(world, token, **change)
        assert response.status_code == 400, change
        assert named in response.json()["error"]
        assert "short" not in response.json()["error"]
    ok(await accept(world, token))


async def test_of_many_who_accept_at_once_one_wins(world: World):
    token = await invited(world, "eve@x.test")
    responses = await asyncio.gather(*(accept(world, token, first_name=f"Eve {n}") for n in range(6)))
    assert sorted(response.status_code for response in responses) == [200, *[404] * 5]
    (won,) = [response.json() for response in responses if response.status_code == 200]
    assert person(await world.ana.get("/teams"), "eve@x.test") == won
