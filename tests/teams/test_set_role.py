"""Setting teammates' roles."""

from tests.teams.makers import accept, invited, joined, person
from tests.world import World, ok


async def test_labelers_members_and_managers_get_the_new_role(world: World):
    emails = ["ben@example.com", "mia@example.com", "MAX@example.com", "ben@example.com"]
    team = await world.ana.post("/teams/set_role", {"emails": emails, "team_role": "labeler"})
    assert [teammate["role"] for teammate in team] == ["admin", "labeler", "labeler", "labeler", "labeler"]
    assert person(team, "max@example.com")["isStudioLabeler"] is True


async def test_a_new_role_holds_at_once_for_the_keys_of_the_person(world: World):
    await world.ben.refused(403, "GET", "/teams")
    await world.max.post("/teams/set_role", {"email": "ben@example.com", "team_role": "member"})
    assert len(await world.ben.get("/teams")) == 5


async def test_an_admin_in_the_list_and_nothing_changes(world: World):
    error = await world.ana.refused(
        400, "POST", "/teams/set_role", {"emails": ["ben@example.com", "ana@example.com"], "team_role": "member"}
    )
    assert "ana@example.com" in error
    assert person(await world.ana.get("/teams"), "ben@example.com")["role"] == "labeler"


async def test_an_unknown_address_in_the_list_and_nothing_changes(world: World):
    emails = ["ben@example.com", "nobody@x.test", "cid@example.com"]
    error = await world.ana.refused(400, "POST", "/teams/set_role", {"emails": emails, "team_role": "member"})
    assert "nobody@x.test" in error
    assert "cid@example.com" in error
    assert person(await world.ana.get("/teams"), "ben@example.com")["role"] == "labeler"


async def test_nobody_is_made_an_admin(world: World):
    for role in ("admin", "disabled", "boss"):
        error = await world.ana.refused(
            400, "POST", "/teams/set_role", {"emails": ["ben@example.com"], "team_role": role}
        )
        assert role in error


async def test_a_disabled_teammate_becomes_active_again_without_the_old_keys(world: World):
    browser = await joined(world, "eve@x.test")
    await world.ana.post("/teams/disable", {"emails": ["ben@example.com", "eve@x.test"]})
    team = await world.ana.post("/teams/set_role", {"emails": ["ben@example.com", "eve@x.test"], "team_role": "member"})
    assert person(team, "ben@example.com")["role"] == "member"
    assert person(team, "eve@x.test")["role"] == "member"
    await world.ben.refused(401, "GET", "/teams")
    assert not await browser.signed_in()
    assert (await browser.sign_in("eve@x.test")).status_code == 200


async def test_on_an_open_invitation_it_sets_the_role_to_be_granted(world: World):
    token = await invited(world, "eve@x.test", "labeler")
    team = await world.ana.post("/teams/set_role", {"emails": ["eve@x.test"], "team_role": "manager"})
    eve = person(team, "eve@x.test")
    assert (eve["role"], eve["isStudioLabeler"]) == ("invited", False)
    assert ok(await accept(world, token))["role"] == "manager"


async def test_someone_disabled_before_joining_is_invited_again(world: World):
    token = await invited(world, "eve@x.test", "labeler")
    await world.ana.post("/teams/disable", {"emails": ["eve@x.test"]})
    team = await world.ana.post("/teams/set_role", {"emails": ["eve@x.test"], "team_role": "member"})
    eve = person(team, "eve@x.test")
    assert (eve["role"], eve["isStudioLabeler"]) == ("invited", False)
    assert (await accept(world, token)).status_code == 404
    assert ok(await accept(world, eve["inviteUrl"].rpartition("/")[2]))["role"] == "member"
