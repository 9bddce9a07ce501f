"""Disabling teammates."""

import asyncio

from refonte_studio.kit.caller import Role
from tests.teams.makers import accept, invited, joined, person
from tests.world import World, ok


async def test_keys_and_sessions_end_at_once(world: World):
    browser = await joined(world, "eve@x.test")
    team = await world.max.post("/teams/disable", {"emails": ["Ben@example.com", "eve@x.test"]})
    assert person(team, "ben@example.com")["role"] == "disabled"
    assert person(team, "ben@example.com")["isStudioLabeler"] is True
    for mode in ("live", "test"):
        await world.ben.refused(401, "GET", "/keys", mode=mode)
    assert not await browser.signed_in()
    assert (await browser.sign_in("eve@x.test")).status_code == 401


async def test_an_open_invitation_is_void(world: World):
    token = await invited(world, "eve@x.test")
    team = await world.ana.post("/teams/disable", {"emails": ["eve@x.test"]})
    eve = person(team, "eve@x.test")
    assert eve["role"] == "disabled"
    assert "expiry" not in eve
    assert (await accept(world, token)).status_code == 404


async def test_disabling_twice_changes_nothing_more(world: World):
    once = await world.ana.post("/teams/disable", {"emails": ["ben@example.com"]})
    assert await world.ana.post("/teams/disable", {"emails": ["ben@example.com", "ben@example.com"]}) == once


async def test_an_unknown_address_and_nobody_is_disabled(world: World):
    error = await world.ana.refused(400, "POST", "/teams/disable", {"emails": ["ben@example.com", "cid@example.com"]})
    assert "cid@example.com" in error
    assert len(await world.ben.get("/keys")) == 2


async def test_the_last_admin_cannot_be_disabled(world: World):
    for someone in (world.ana, world.max):
        error = await someone.refused(400, "POST", "/teams/disable", {"emails": ["ben@example.com", "ana@example.com"]})
        assert "ana@example.com" in error
    assert {teammate["role"] for teammate in await world.ana.get("/teams")} == {"admin", "manager", "member", "labeler"}


async def test_one_of_two_admins_can_be_disabled_and_brought_back_with_another_role(world: World):
    zoe = await world.person("zoe", world.ana.team_id, Role.ADMIN)
    team = await zoe.post("/teams/disable", {"emails": ["ana@example.com"]})
    assert person(team, "ana@example.com")["role"] == "disabled"
    await zoe.refused(400, "POST", "/teams/disable", {"emails": ["zoe@example.com"]})
    back = {"emails": ["ana@example.com"], "team_role": "labeler"}
    assert "ana@example.com" in await world.max.refused(400, "POST", "/teams/set_role", back), "only admins may"
    team = await zoe.post("/teams/set_role", {"emails": ["ana@example.com"], "team_role": "manager"})
    assert person(team, "ana@example.com")["role"] == "manager"


async def test_of_all_admins_disabling_each_other_at_once_one_stays(world: World):
    admins = [world.ana, *[await world.person(f"admin{n}", world.ana.team_id, Role.ADMIN) for n in range(5)]]
    await asyncio.gather(*(world.max.call("POST", "/teams/disable", {"emails": [one.email]}) for one in admins))
    roles = [teammate["role"] for teammate in await world.max.get("/teams")]
    assert roles.count("admin") == 1
    assert roles.count("disabled") == 5


async def test_disabling_and_accepting_at_once_never_leaves_a_disabled_person_inside(world: World):
    for n in range(5):
        email = f"eve{n}@x.test"
        token = await invited(world, email)
        accepted, _ = await asyncio.gather(accept(world, token), world.ana.post("/teams/disable", {"emails": [email]}))
        assert accepted.status_code in (200, 404)
        assert person(await world.ana.get("/teams"), email)["role"] == "disabled"
        async with world.client() as client:
            cookies = {"studio_session": accepted.cookies.get("studio_session", "none")}
            client.cookies.update(cookies)
            assert (await client.get("/v1/session")).status_code == 401


async def test_a_disabled_person_in_another_team_of_the_same_address_goes_on(world: World):
    browser = await joined(world, "ben@example.com", by=world.cid)
    await world.ana.post("/teams/disable", {"emails": ["ben@example.com"]})
    assert ok(await browser.call("GET", "/session"))["team"]["name"] == "Other"
