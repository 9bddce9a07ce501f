"""Listing and inviting teammates."""

import asyncio

from tests.teams.makers import accept, invited, person
from tests.world import BASE, START_MS, World, ok


async def test_everybody_of_the_team_is_listed_in_the_shape_that_clients_parse(world: World):
    team = await world.mia.get("/teams")
    assert [teammate["email"].partition("@")[0] for teammate in team] == ["ana", "max", "mia", "ben", "dee"]
    assert team[0] == {
        "email": "ana@example.com",
        "role": "admin",
        "disableRapidEmails": False,
        "isStudioLabeler": False,
    }
    assert person(team, "ben@example.com")["isStudioLabeler"] is True


async def test_an_invited_person_is_in_the_answer_with_role_expiry_and_link(world: World):
    team = await world.max.post("/teams/invite", {"emails": ["Eve@Example.com"], "team_role": "labeler"})
    eve = person(team, "eve@example.com")
    url = eve.pop("inviteUrl")
    assert url.startswith(f"{BASE}/invite/")
    assert "/" not in url.removeprefix(f"{BASE}/invite/")
    assert eve == {
        "email": "eve@example.com",
        "role": "invited",
        "disableRapidEmails": False,
        "isStudioLabeler": True,
        "expiry": "2026-02-09T02:40:00.000Z",
    }
    assert START_MS == 1_770_000_000_000
    assert "inviteUrl" not in person(await world.ana.get("/teams"), "eve@example.com")


async def test_the_link_is_in_the_log_where_there_is_no_mail_server(world: World, caplog):
    token = await invited(world, "eve@example.com")
    assert f"{BASE}/invite/{token}" in caplog.text


async def test_an_invited_manager_is_no_labeler(world: World):
    team = await world.ana.post("/teams/invite", {"emails": "eve@example.com", "team_role": "manager"})
    assert person(team, "eve@example.com")["isStudioLabeler"] is False


async def test_inviting_works_by_every_form_of_the_parameters(world: World):
    team = await world.ana.post("/teams/invite", email="a@x.test,b@x.test", team_role="member")
    assert {"a@x.test", "b@x.test"} <= {teammate["email"] for teammate in team}
    response = await world.http.post(
        "/v1/teams/invite?emails[]=c@x.test&emails[]=d@x.test",
        json={"team_role": "member"},
        headers={"Authorization": f"Bearer {world.ana.keys['live']}"},
    )
    team = ok(response)
    assert {"c@x.test", "d@x.test"} <= {teammate["email"] for teammate in team}


async def test_one_bad_address_and_nobody_is_invited(world: World):
    bad = ["no-at.example.com", "two@@x.test", "a b@x.test", "new\nline@x.test", "@x.test", "a@", "a..b@x.test"]
    error = await world.ana.refused(
        400, "POST", "/teams/invite", {"emails": ["good@x.test", *bad], "team_role": "labeler"}
    )
    assert all(repr(address) in error for address in bad)
    assert "good" not in error
    assert len(await world.ana.get("/teams")) == 5


async def test_an_address_is_bounded_in_length(world: World):
    long = f"{'a' * 250}@x.test"
    await world.ana.refused(400, "POST", "/teams/invite", {"emails": [long], "team_role": "labeler"})


async def test_one_bad_role_and_nobody_is_invited(world: World):
    for role in ("admin", "disabled", "invited", "Labeler", ""):
        error = await world.ana.refused(400, "POST", "/teams/invite", {"emails": ["e@x.test"], "team_role": role})
        assert repr(role) in error
        assert "labeler, member, manager" in error
    assert len(await world.ana.get("/teams")) == 5


async def test_what_is_required_and_what_is_unknown(world: World):
    assert "team_role" in await world.ana.refused(400, "POST", "/teams/invite", {"emails": ["e@x.test"]})
    assert "emails" in await world.ana.refused(400, "POST", "/teams/invite", {"team_role": "labeler"})
    assert "emails" in await world.ana.refused(400, "POST", "/teams/invite", {"emails": [], "team_role": "labeler"})
    body = {"emails": ["e@x.test"], "team_role": "labeler", "colour": "red"}
    assert "colour" in await world.ana.refused(400, "POST", "/teams/invite", body)


async def test_ten_thousand_addresses_are_refused_and_a_thousand_are_not(world: World):
    many = [f"person{n}@x.test" for n in range(10_000)]
    await world.ana.refused(400, "POST", "/teams/invite", {"emails": many, "team_role": "labeler"})
    assert len(await world.ana.get("/teams")) == 5
    team = await world.ana.post("/teams/invite", {"emails": many[:1_000], "team_role": "labeler"})
    assert len(team) == 1_005
    assert [teammate["email"] for teammate in team[5:]] == many[:1_000]


async def test_the_same_address_twice_counts_once_whatever_its_case(world: World):
    team = await world.ana.post(
        "/teams/invite", {"emails": ["eve@x.test", "EVE@X.TEST", " eve@x.test"], "team_role": "labeler"}
    )
    assert [teammate["email"] for teammate in team[5:]] == ["eve@x.test"]


async def test_an_active_teammate_is_left_as_they_are(world: World):
    before = await world.ana.get("/teams")
    after = await world.ana.post(
        "/teams/invite", {"emails": ["ANA@example.com", "ben@example.com"], "team_role": "member"}
    )
    assert after == before


async def test_renewing_an_invitation_voids_the_old_link_and_takes_the_new_role(world: World):
    old = await invited(world, "eve@x.test", "member")
    world.clock.forward(days=2)
    new = await invited(world, "EVE@x.test".lower(), "labeler")
    eve = person(await world.ana.get("/teams"), "eve@x.test")
    assert eve["expiry"] == "2026-02-11T02:40:00.000Z"
    assert eve["isStudioLabeler"] is True
    assert (await accept(world, old)).status_code == 404
    assert ok(await accept(world, new))["role"] == "labeler"


async def test_an_expired_invitation_can_be_renewed(world: World):
    await invited(world, "eve@x.test")
    world.clock.forward(days=30)
    assert ok(await accept(world, await invited(world, "eve@x.test")))["role"] == "labeler"


async def test_a_disabled_teammate_cannot_be_invited(world: World):
    await world.ana.post("/teams/disable", {"emails": ["ben@example.com"]})
    error = await world.ana.refused(
        400, "POST", "/teams/invite", {"emails": ["eve@x.test", "Ben@example.com"], "team_role": "labeler"}
    )
    assert "ben@example.com" in error
    assert len(await world.ana.get("/teams")) == 5


async def test_teams_are_separate_worlds(world: World):
    await world.cid.post("/teams/invite", {"emails": ["ben@example.com"], "team_role": "manager"})
    assert person(await world.ana.get("/teams"), "ben@example.com")["role"] == "labeler"
    assert [teammate["email"] for teammate in await world.cid.get("/teams")] == ["cid@example.com", "ben@example.com"]


async def test_only_admins_and_managers_change_who_is_in_the_team(world: World):
    for path, body in (
        ("/teams/invite", {"emails": ["e@x.test"], "team_role": "labeler"}),
        ("/teams/set_role", {"emails": ["ben@example.com"], "team_role": "member"}),
        ("/teams/disable", {"emails": ["ben@example.com"]}),
    ):
        for someone in (world.mia, world.ben):
            await someone.refused(403, "POST", path, body)
    await world.ben.refused(403, "GET", "/teams")
    assert (await world.http.get("/v1/teams")).status_code == 401


async def test_two_invitations_of_one_address_at_once_make_one_teammate(world: World):
    tokens = await asyncio.gather(*(invited(world, "eve@x.test") for _ in range(8)))
    assert len(await world.ana.get("/teams")) == 6
    results = [(await accept(world, token)).status_code for token in tokens]
    assert sorted(results) == [200, *[404] * 7]
