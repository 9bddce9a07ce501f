"""Changing one's password."""

import asyncio

from tests.teams.makers import PASSWORD, Browser, joined
from tests.world import World, ok

NEW = "wrong mule generator"
CHANGE = {"current_password": PASSWORD, "new_password": NEW}


async def test_every_session_and_key_ends_and_the_browser_gets_a_fresh_session(world: World):
    browser, other = await joined(world, "eve@x.test"), Browser(world)
    ok(await other.sign_in("eve@x.test"))
    key = ok(await browser.call("POST", "/keys", {"mode": "live", "name": "mine"}))["key"]
    before = browser.http.cookies["studio_session"]
    session = ok(await browser.call("POST", "/session/password", CHANGE))
    assert browser.http.cookies["studio_session"] != before
    assert session["csrf_token"] != browser.csrf
    assert ok(await browser.call("GET", "/session"))["csrf_token"] == session["csrf_token"]
    assert not await other.signed_in()
    response = await world.http.get("/v1/session", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == 401
    assert (await Browser(world).sign_in("eve@x.test", PASSWORD)).status_code == 401
    assert (await Browser(world).sign_in("eve@x.test", NEW)).status_code == 200


async def test_with_a_key_the_key_ends_too(world: World):
    browser = await joined(world, "eve@x.test")
    key = ok(await browser.call("POST", "/keys", {"mode": "test", "name": "mine"}))["key"]
    headers = {"Authorization": f"Bearer {key}"}
    response = await world.http.post("/v1/session/password", json=CHANGE, headers=headers)
    assert ok(response)["mode"] == "test"
    assert "csrf_token" not in response.json()
    assert "set-cookie" not in response.headers
    assert (await world.http.get("/v1/session", headers=headers)).status_code == 401
    assert not await browser.signed_in()


async def test_a_wrong_or_weak_password_changes_nothing(world: World):
    browser = await joined(world, "eve@x.test")
    for change in ({**CHANGE, "current_password": "not it at all"}, {**CHANGE, "new_password": "short"}):
        response = await browser.call("POST", "/session/password", change)
        assert response.status_code == 400
        assert "short" not in response.json()["error"]
    assert await browser.signed_in()
    assert (await Browser(world).sign_in("eve@x.test")).status_code == 200


async def test_without_a_password_there_is_none_to_change(world: World):
    await world.ben.refused(400, "POST", "/session/password", CHANGE)


async def test_guessing_is_held_back_and_locks_nobody_out(world: World):
    browser = await joined(world, "eve@x.test")
    for _ in range(10):
        await browser.call("POST", "/session/password", {**CHANGE, "current_password": "a wrong guess"})
    response = await browser.call("POST", "/session/password", CHANGE)
    assert response.status_code == 429
    assert response.headers["retry-after"] == "30"
    assert (await Browser(world).sign_in("eve@x.test")).status_code == 200


async def test_what_is_made_while_the_password_changes_ends_with_it(world: World):
    for n in range(4):
        browser, thief = await joined(world, f"eve{n}@x.test"), Browser(world)
        thief.http.cookies, thief.csrf = browser.http.cookies.__class__(browser.http.cookies), browser.csrf
        key = {"mode": "live", "name": "stolen"}
        changed, *made = await asyncio.gather(
            browser.call("POST", "/session/password", CHANGE), *(thief.call("POST", "/keys", key) for _ in range(4))
        )
        ok(changed)
        for response in made:
            assert response.status_code in (200, 401)
            if response.status_code == 200:
                headers = {"Authorization": f"Bearer {response.json()['key']}"}
                assert (await world.http.get("/v1/session", headers=headers)).status_code == 401
        browser.csrf = changed.json()["csrf_token"]
        assert ok(await browser.call("GET", "/keys")) == []


async def test_of_two_changes_at_once_one_wins(world: World):
    browser = await joined(world, "eve@x.test")
    answers = await asyncio.gather(
        *(browser.call("POST", "/session/password", {**CHANGE, "new_password": f"new password {n}"}) for n in range(2))
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 400], [200, 401])
