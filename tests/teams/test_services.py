"""Services of teams that other rooms, the server and the CLI use."""

import pytest

from refonte_studio.kit.caller import Role
from refonte_studio.kit.errors import BadInput, Conflict, NotFound, Unauthorized
from refonte_studio.teams import service
from refonte_studio.teams.service import membership
from refonte_studio.teams.service.passwords import hash_password
from tests.teams.makers import PASSWORD, Browser, invited, joined, person
from tests.world import World, ok


async def test_a_team_is_found_by_its_name_and_a_taken_name_is_a_conflict(world: World):
    assert (await world.db.read(service.find_team, "Refonte")).id == world.ana.team_id
    with pytest.raises(NotFound, match="Nowhere"):
        await world.db.read(service.find_team, "Nowhere")
    with pytest.raises(Conflict, match="Refonte"):
        await world.db.write(service.create_team, " Refonte ", world.clock())
    with pytest.raises(BadInput):
        await world.db.write(service.create_team, "line\nbreak", world.clock())


async def test_a_person_is_found_over_all_teams_unless_there_are_several(world: World):
    assert (await world.db.read(service.find_person, "BEN@example.com")).id == world.ben.id
    with pytest.raises(NotFound, match="nobody@x"):
        await world.db.read(service.find_person, "nobody@x.test")
    await joined(world, "ben@example.com", by=world.cid)
    with pytest.raises(BadInput, match="'Refonte', 'Other'"):
        await world.db.read(service.find_person, "ben@example.com")
    assert (await world.db.read(service.find_person, "ben@example.com", "Refonte")).id == world.ben.id
    with pytest.raises(NotFound):
        await world.db.read(service.find_person, "ben@example.com", "Nowhere")


async def test_people_come_in_order_each_once_and_unknown_ones_are_named(world: World):
    emails = ["dee@example.com", "BEN@example.com", "dee@example.com"]
    found = await world.db.read(service.people, world.ana.team_id, emails)
    assert [one.id for one in found] == [world.dee.id, world.ben.id]
    with pytest.raises(BadInput, match=r"cid@example\.com"):
        await world.db.read(service.people, world.ana.team_id, ["ben@example.com", "cid@example.com"])


async def test_an_address_is_checked_and_taken_once_wherever_it_comes_from(world: World):
    with pytest.raises(BadInput, match="nonsense"):
        await world.db.write(service.create_teammate, world.ana.team_id, "nonsense", Role.ADMIN, world.clock())
    with pytest.raises(Conflict, match="Ben@"):
        await world.db.write(service.create_teammate, world.ana.team_id, "Ben@example.com", Role.ADMIN, world.clock())


async def test_the_cli_gives_any_role_but_keeps_an_admin(world: World):
    async def appoint(email: str, role: Role) -> None:
        found = await world.db.read(service.find_person, email)
        await world.db.write(service.appoint, found, role)

    with pytest.raises(BadInput, match="at least one admin"):
        await appoint("ana@example.com", Role.MEMBER)
    await appoint("max@example.com", Role.ADMIN)
    await appoint("ana@example.com", Role.MEMBER)
    await world.max.post("/teams/disable", {"emails": ["ben@example.com"]})
    await appoint("ben@example.com", Role.ADMIN)
    await invited(world, "eve@x.test", by=world.max)
    with pytest.raises(BadInput, match="eve@"):
        await appoint("eve@x.test", Role.ADMIN)
    team = await world.max.get("/teams")
    assert person(team, "ana@example.com")["role"] == "member"
    assert person(team, "ben@example.com")["role"] == "admin"


async def test_a_password_set_by_the_cli_ends_what_the_old_one_opened(world: World):
    browser = await joined(world, "eve@x.test")
    eve = await world.db.read(service.find_person, "eve@x.test")
    await world.db.write(service.set_password, eve, hash_password("set by the operator"), world.clock())
    assert not await browser.signed_in()
    assert (await Browser(world).sign_in("eve@x.test", "set by the operator")).status_code == 200


async def test_keys_are_listed_and_revoked_and_made_for_the_active_alone(world: World):
    keys = await world.db.read(service.keys_of, world.ben.team_id, world.ben.id)
    assert [key.name for key in keys] == ["ben test", "ben live"]
    with pytest.raises(NotFound):
        await world.db.write(service.revoke_key, world.cid.team_id, keys[0].id, world.clock())
    await world.db.write(service.revoke_key, world.ben.team_id, keys[0].id, world.clock())
    await world.ben.refused(401, "GET", "/session", mode="test")
    with pytest.raises(NotFound):
        await world.db.write(service.revoke_key, world.ben.team_id, keys[0].id, world.clock())
    await world.ana.post("/teams/disable", {"emails": ["ben@example.com"]})
    with pytest.raises(BadInput):
        await world.db.write(service.create_key, world.ben.team_id, world.ben.id, "live", "x", world.clock())


async def test_every_team_signs_its_callbacks_with_a_secret_of_its_own(world: World):
    ours = await world.db.read(service.callback_keys, world.ana.team_id)
    theirs = await world.db.read(service.callback_keys, world.cid.team_id)
    assert len(ours[0]) >= 27
    assert ours[0] != theirs[0]


async def test_a_session_that_ended_since_makes_no_key_and_changes_no_password(world: World):
    browser = await joined(world, "eve@x.test")
    caller = await world.db.read(service.caller_of_session, browser.http.cookies["studio_session"], world.clock())
    assert caller is not None
    eve = await world.db.read(service.own_candidate, caller)
    ok(await browser.call("DELETE", "/session"))
    with pytest.raises(Unauthorized):
        await world.db.write(membership.create_own_key, caller, "live", "too late", world.clock())
    with pytest.raises(Unauthorized):
        await world.db.write(membership.change_password, caller, eve, "none", "hash", world.clock(), 1_000)
    ok(await browser.sign_in("eve@x.test"))
    assert ok(await browser.call("GET", "/keys")) == []


async def test_a_key_that_was_revoked_since_makes_no_key(world: World):
    found = await world.db.read(service.caller_of_key, world.ben.keys["live"], world.clock())
    assert found is not None
    caller, _ = found
    assert (await world.ben.call("DELETE", f"/keys/{caller.key_id}")).status_code == 204
    with pytest.raises(Unauthorized):
        await world.db.write(membership.create_own_key, caller, "live", "too late", world.clock())


async def test_a_password_that_was_changed_since_it_was_checked_signs_nobody_in(world: World):
    browser = await joined(world, "eve@x.test")
    (checked,) = await world.db.read(service.candidates, "eve@x.test", None)
    change = {"current_password": PASSWORD, "new_password": "another password"}
    ok(await browser.call("POST", "/session/password", change))
    with pytest.raises(Unauthorized):
        await world.db.write(service.sign_in, checked, "none", world.clock(), 1_000)


async def test_an_invitation_that_expired_since_it_was_checked_lets_nobody_in(world: World):
    token = await invited(world, "eve@x.test")
    await world.db.read(membership.check_invitation, token, world.clock())
    world.clock.forward(days=7)
    with pytest.raises(NotFound):
        await world.db.write(membership.accept, token, ("Eve", "Stone"), "hash", world.clock(), 1_000)
