"""API keys."""

import asyncio

from tests.teams.makers import joined
from tests.world import World, ok


async def test_a_new_key_is_shown_once_and_works(world: World):
    made = await world.ben.post("/keys", {"mode": "live", "name": " laptop "})
    key = made.pop("key")
    assert key.startswith("live_")
    assert len(key) >= len("live_") + 27  # 160 bits
    assert key.startswith(made["prefix"])
    assert made == {
        "id": made["id"],
        "name": "laptop",
        "mode": "live",
        "prefix": key[:10],
        "created_at": "2026-02-02T02:40:00.000Z",
    }
    listed = await world.ben.get("/keys")
    assert {**made, "email": "ben@example.com", "maker_key_id": (await own_id(world))} in listed
    assert key not in str(listed)
    for header in (f"Bearer {key}", f"bEARER {key}"):
        assert (await world.http.get("/v1/session", headers={"Authorization": header})).status_code == 200
    assert (await world.http.get("/v1/session", auth=(key, ""))).json()["teammate"]["email"] == "ben@example.com"


async def test_a_test_key_opens_the_test_world(world: World):
    key = (await world.ben.post("/keys", {"mode": "test", "name": "trial"}, mode="test"))["key"]
    assert key.startswith("test_")
    response = await world.http.get("/v1/session", headers={"Authorization": f"Bearer {key}"})
    assert response.json()["mode"] == "test"


async def test_ones_own_keys_are_listed_newest_first_with_their_last_use(world: World):
    world.clock.forward(hours=1)
    await world.ben.post("/keys", {"mode": "live", "name": "newest"})
    keys = await world.ben.get("/keys")
    assert [key["name"] for key in keys] == ["newest", "ben test", "ben live"]
    assert keys[2]["last_used_at"] == "2026-02-02T03:40:00.000Z"
    assert "last_used_at" not in keys[0]


async def test_the_mode_and_the_name_are_checked(world: World):
    assert "'Live'" in await world.ben.refused(400, "POST", "/keys", {"mode": "Live", "name": "x"})
    assert "name" in await world.ben.refused(400, "POST", "/keys", {"mode": "live", "name": " "})
    assert "name" in await world.ben.refused(400, "POST", "/keys", {"mode": "live", "name": "x" * 201})
    assert "name" in await world.ben.refused(400, "POST", "/keys", {"mode": "live"})


async def test_a_revoked_key_ends_at_once(world: World):
    made = await world.ben.post("/keys", {"mode": "live", "name": "old"})
    response = await world.ben.call("DELETE", f"/keys/{made['id']}")
    assert (response.status_code, response.content) == (204, b"")
    assert made["id"] not in str(await world.ben.get("/keys"))
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert (await world.http.get("/v1/session", headers=headers)).status_code == 401
    await world.ben.refused(404, "DELETE", f"/keys/{made['id']}")


async def test_admins_may_revoke_anyones_key_in_the_team_and_nobody_else_may(world: World):
    key_id = (await world.ben.post("/keys", {"mode": "live", "name": "mine"}))["id"]
    for someone in (world.max, world.mia, world.dee, world.cid):
        await someone.refused(404, "DELETE", f"/keys/{key_id}")
        await someone.refused(404, "DELETE", f"/keys/{key_id}", {"colour": "red"})
    await world.ben.refused(400, "DELETE", f"/keys/{key_id}", {"colour": "red"})
    await world.ben.refused(404, "DELETE", "/keys/nonsense")
    assert (await world.ana.call("DELETE", f"/keys/{key_id}")).status_code == 204
    assert len(await world.ben.get("/keys")) == 2


async def test_one_person_has_at_most_a_hundred_keys_also_when_made_at_once(world: World):
    calls = [world.ben.call("POST", "/keys", {"mode": "live", "name": f"key {n}"}) for n in range(102)]
    statuses = [response.status_code for response in await asyncio.gather(*calls)]
    assert sorted(statuses) == [200] * 98 + [400] * 4
    assert len(await world.ben.get("/keys")) == 100


async def test_a_session_may_make_and_revoke_keys(world: World):
    browser = await joined(world, "eve@x.test")
    made = ok(await browser.call("POST", "/keys", {"mode": "live", "name": "mine"}))
    assert [key["id"] for key in ok(await browser.call("GET", "/keys"))] == [made["id"]]
    assert (await browser.call("DELETE", f"/keys/{made['id']}")).status_code == 204


async def own_id(world: World) -> str:
    """The id of Ben's live key."""
    return next(key["id"] for key in await world.ben.get("/keys") if key["name"] == "ben live")


async def test_a_key_makes_keys_of_its_own_mode_and_a_session_of_both(world: World):
    for mode, other in (("test", "live"), ("live", "test")):
        error = await world.ana.refused(403, "POST", "/keys", {"mode": other, "name": "climb"}, mode=mode)
        assert error == f"a {mode} key makes {mode} keys only; to make a {other} key, sign in"
    browser = await joined(world, "eve@x.test")
    for mode in ("live", "test"):
        assert "maker_key_id" not in ok(await browser.call("POST", "/keys", {"mode": mode, "name": mode}))


async def test_keys_end_with_the_key_that_made_them(world: World):
    mine = world.ben.keys["live"]
    chain = [await own_id(world)]
    for n in range(3):
        made = await world.ben.post("/keys", {"mode": "live", "name": f"link {n}"})
        chain.append(made["id"])
        world.ben.keys["live"] = made["key"]
    newest = {"Authorization": f"Bearer {world.ben.keys['live']}"}
    world.ben.keys["live"] = mine
    beside = (await world.ben.post("/keys", {"mode": "live", "name": "beside"}))["key"]
    assert (await world.ben.call("DELETE", f"/keys/{chain[1]}")).status_code == 204
    assert (await world.http.get("/v1/session", headers=newest)).status_code == 401
    assert {key["id"] for key in await world.ben.get("/keys")}.isdisjoint(chain[1:])
    assert (await world.http.get("/v1/session", headers={"Authorization": f"Bearer {beside}"})).status_code == 200


async def test_admins_list_the_keys_of_the_whole_team(world: World):
    world.clock.forward(hours=1)
    await world.ben.get("/keys")
    keys = await world.ana.get("/keys", all="true")
    assert {key["email"] for key in keys} == {f"{name}@example.com" for name in ("ana", "max", "mia", "ben", "dee")}
    (ben,) = [key for key in keys if key["name"] == "ben live"]
    assert ben["last_used_at"] == "2026-02-02T03:40:00.000Z"
    for someone in (world.max, world.mia, world.ben):
        assert "own keys" in await someone.refused(403, "GET", "/keys?all=true")


async def test_a_test_key_administers_neither_people_nor_their_keys(world: World):
    for path, more in (("invite", {"team_role": "member"}), ("set_role", {"team_role": "member"}), ("disable", {})):
        body = {"emails": ["ben@example.com"], **more}
        assert "test key" in await world.ana.refused(403, "POST", f"/teams/{path}", body, mode="test")
    await world.ana.refused(403, "GET", "/keys?all=true", mode="test")
    await world.ana.refused(403, "DELETE", f"/keys/{await own_id(world)}", mode="test")
    made = await world.ana.post("/keys", {"mode": "test", "name": "trial"}, mode="test")
    assert (await world.ana.call("DELETE", f"/keys/{made['id']}", mode="test")).status_code == 204
    assert len(await world.ben.get("/keys")) == 2
