"""Signing in, signing out, and the current session."""

import asyncio

from refonte_studio.teams import service
from tests.teams.makers import PASSWORD, Browser, joined
from tests.world import World, ok


async def test_a_session_tells_who_one_is_and_what_one_may_do(world: World):
    browser = await joined(world, "eve@x.test", "member")
    session = ok(await browser.call("GET", "/session"))
    assert session["teammate"]["email"] == "eve@x.test"
    assert session["team"] == {"id": world.ana.team_id, "name": "Refonte"}
    assert session["role"] == "member"
    assert session["permissions"] == ["manage", "read", "work", "self"]
    assert session["mode"] == "live"
    assert session["csrf_token"] == browser.csrf


async def test_a_key_tells_who_one_is_too_without_a_csrf_token(world: World):
    session = await world.ben.get("/session", mode="test")
    assert session == {
        "teammate": {
            "email": "ben@example.com",
            "role": "labeler",
            "disableRapidEmails": False,
            "isStudioLabeler": True,
        },
        "team": {"id": world.ben.team_id, "name": "Refonte"},
        "role": "labeler",
        "permissions": ["work", "self"],
        "mode": "test",
    }


async def test_the_address_is_taken_in_any_case(world: World):
    await joined(world, "eve@x.test")
    assert (await Browser(world).sign_in(" eVE@X.test ")).status_code == 200


async def test_an_accented_password_is_the_same_from_every_keyboard(world: World):
    browser = await joined(world, "eve@x.test")
    composed, decomposed = "pass\u00e9 compos\u00e9", "passe\u0301 compose\u0301"
    ok(await browser.call("POST", "/session/password", {"current_password": PASSWORD, "new_password": composed}))
    assert (await Browser(world).sign_in("eve@x.test", decomposed)).status_code == 200


async def test_a_wrong_password_an_unknown_address_and_no_password_look_the_same(world: World):
    await joined(world, "eve@x.test")
    errors = set()
    for email, password in (
        ("eve@x.test", "wrong password"),
        ("eve@x.test", "x" * 5_000),
        ("nobody@x.test", PASSWORD),
        ("ben@example.com", ""),
        ("not an address", PASSWORD),
    ):
        response = await Browser(world).sign_in(email, password)
        assert response.status_code == 401
        assert "set-cookie" not in response.headers
        errors.add(response.text)
    assert len(errors) == 1


async def test_a_session_changes_state_only_with_the_csrf_token(world: World):
    browser = await joined(world, "eve@x.test")
    body = {"mode": "live", "name": "mine"}
    assert (await browser.call("POST", "/keys", body, csrf=False)).status_code == 403
    assert (await browser.call("DELETE", "/session", csrf=False)).status_code == 403
    assert (await browser.call("POST", "/keys", body)).status_code == 200


async def test_signing_out_ends_this_session_alone(world: World):
    one = await joined(world, "eve@x.test")
    other = Browser(world)
    ok(await other.sign_in("eve@x.test"))
    stolen = one.http.cookies["studio_session"]
    response = await one.call("DELETE", "/session")
    assert response.status_code == 204
    assert response.content == b""
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert not await one.signed_in()
    one.http.cookies.set("studio_session", stolen)
    assert not await one.signed_in()
    assert await other.signed_in()


async def test_signing_out_with_a_key_ends_nothing(world: World):
    await world.ben.call("DELETE", "/session")
    assert (await world.ben.get("/session"))["role"] == "labeler"


async def test_a_session_ends_after_its_time(world: World):
    browser = await joined(world, "eve@x.test")
    world.clock.forward(days=29)
    assert await browser.signed_in()
    world.clock.forward(days=1)
    assert not await browser.signed_in()


async def test_a_made_up_session_is_refused(world: World):
    browser = Browser(world)
    browser.http.cookies.set("studio_session", "made-up")
    assert not await browser.signed_in()


async def test_an_address_and_password_that_fit_several_teams_need_a_team(world: World):
    await joined(world, "eve@x.test", by=world.ana)
    async with world.client() as client:
        team = await world.cid.post("/teams/invite", {"emails": ["eve@x.test"], "team_role": "member"})
        token = team[-1]["inviteUrl"].rpartition("/")[2]
        names = {"first_name": "E", "last_name": "S"}
        ok(await client.post("/v1/invitations/accept", json={"token": token, "password": PASSWORD, **names}))
    browser = Browser(world)
    response = await browser.sign_in("eve@x.test")
    assert response.status_code == 400
    assert "'Refonte', 'Other'" in response.json()["error"]
    assert ok(await browser.sign_in("eve@x.test", team="Other"))["team"]["name"] == "Other"
    assert (await browser.sign_in("eve@x.test", team="Elsewhere")).status_code == 401
    ok(
        await browser.call(
            "POST", "/session/password", {"current_password": PASSWORD, "new_password": "another password"}
        )
    )
    assert ok(await Browser(world).sign_in("eve@x.test"))["team"]["name"] == "Refonte"
    assert ok(await Browser(world).sign_in("eve@x.test", "another password"))["team"]["name"] == "Other"


async def test_after_ten_failures_a_client_waits_at_this_address(world: World):
    await joined(world, "eve@x.test")
    for _ in range(10):
        assert (await Browser(world).sign_in("eve@x.test", "wrong password")).status_code == 401
        world.clock.forward(seconds=1)
    response = await Browser(world).sign_in("EVE@x.test")
    assert response.status_code == 429
    assert response.json()["status_code"] == 429
    assert response.headers["retry-after"] == "29"
    assert (await Browser(world).sign_in("kim@x.test")).status_code == 401
    world.clock.forward(seconds=29)
    assert (await Browser(world).sign_in("eve@x.test")).status_code == 200


async def test_guessing_at_once_gets_no_further(world: World):
    await joined(world, "eve@x.test")
    responses = await asyncio.gather(*(Browser(world).sign_in("eve@x.test", f"guess number {n}") for n in range(30)))
    assert sorted(response.status_code for response in responses) == [401] * 10 + [429] * 20


async def test_a_success_neither_counts_nor_forgives(world: World):
    await joined(world, "eve@x.test")
    for _ in range(9):
        await Browser(world).sign_in("eve@x.test", "wrong password")
    for _ in range(5):
        assert (await Browser(world).sign_in("eve@x.test")).status_code == 200
    assert (await Browser(world).sign_in("eve@x.test", "wrong password")).status_code == 401
    assert (await Browser(world).sign_in("eve@x.test")).status_code == 429


async def test_the_sweep_deletes_what_is_over_and_nothing_else(world: World):
    browser = await joined(world, "eve@x.test")
    await Browser(world).sign_in("eve@x.test", "wrong password")
    assert await world.db.write(service.sweep_sessions, world.clock()) == 0
    world.clock.forward(minutes=15)
    assert await world.db.write(service.sweep_sessions, world.clock()) == 3, "one for each budget"
    assert await browser.signed_in()
    world.clock.forward(days=30)
    assert await world.db.write(service.sweep_sessions, world.clock()) == 2


async def test_a_hundred_sessions_and_the_oldest_ends(world: World):
    first = await joined(world, "eve@x.test")
    (eve,) = await world.db.read(service.people, world.ana.team_id, ["eve@x.test"])
    world.clock.forward(seconds=1)
    for _ in range(98):  # with those of the acceptance and of the sign-in, a hundred
        await world.db.write(service.start_session, eve.team_id, eve.id, world.clock(), 10_000)
    assert await first.signed_in()
    for _ in range(2):
        await world.db.write(service.start_session, eve.team_id, eve.id, world.clock(), 10_000)
    assert not await first.signed_in()
