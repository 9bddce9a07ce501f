"""Who works on which project."""

import asyncio
from typing import Any

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Role
from refonte_studio.projects import service
from refonte_studio.teams import service as teams
from tests.world import World

NOBODY: dict[str, list[str]] = {f"{name}@example.com": [] for name in ("ana", "max", "mia", "ben", "dee")}


async def project(world: World, *names: str, **options: Any) -> None:
    for name in names:
        await world.ana.post("/projects", {"name": name, "type": "categorization", "studio": True}, **options)


async def assign(world: World, emails: list[str], projects: list[str]) -> Any:
    return await world.ana.post("/studio/assignments/add", {"emails": emails, "projects": projects})


async def test_assignments_are_added_and_removed_pair_by_pair(world: World) -> None:
    await project(world, "Dogs", "Cats", "Birds")
    assert await world.mia.get("/studio/assignments") == NOBODY
    added = await assign(world, ["ben@example.com", "DEE@example.com"], ["Dogs", "Cats"])
    assert added == {**NOBODY, "ben@example.com": ["Cats", "Dogs"], "dee@example.com": ["Cats", "Dogs"]}
    assert await assign(world, ["ben@example.com"], ["Dogs", "Birds", "Birds"]) == {
        **added,
        "ben@example.com": ["Birds", "Cats", "Dogs"],
    }
    removed = await world.ana.post("/studio/assignments/remove", {"emails": "ben@example.com", "projects": ["Cats"]})
    assert removed == {**added, "ben@example.com": ["Birds", "Dogs"]}
    assert await world.ana.get("/studio/assignments") == removed


async def test_without_projects_adding_changes_nothing_and_removing_removes_all(world: World) -> None:
    await project(world, "Dogs", "Cats")
    before = await assign(world, ["ben@example.com", "dee@example.com"], ["Dogs", "Cats"])
    add, remove = "/studio/assignments/add", "/studio/assignments/remove"
    assert await world.ana.post(add, {"emails": ["mia@example.com"]}) == before
    assert await world.ana.post(add, {"emails": ["mia@example.com"], "projects": []}) == before
    assert await world.ana.post(remove, {"emails": ["ben@example.com"], "projects": []}) == before
    assert await world.ana.post(remove, {"emails": ["ben@example.com"]}) == {**before, "ben@example.com": []}


async def test_removing_from_all_projects_leaves_those_of_the_other_mode(world: World) -> None:
    await project(world, "Dogs")
    await project(world, "Dogs", mode="test")
    await assign(world, ["ben@example.com"], ["Dogs"])
    body = {"emails": ["ben@example.com"], "projects": ["Dogs"]}
    await world.ana.post("/studio/assignments/add", body, mode="test")
    await world.ana.post("/studio/assignments/remove", {"emails": ["ben@example.com"]})
    assert (await world.ana.get("/studio/assignments"))["ben@example.com"] == []
    assert (await world.ana.get("/studio/assignments", mode="test"))["ben@example.com"] == ["Dogs"]


BAD_NAMES: list[tuple[dict[str, Any], str]] = [
    ({"emails": ["ben@example.com", "cid@example.com"]}, "cid@example.com"),
    ({"projects": ["Dogs", "Unicorns"]}, "Unicorns"),
    ({"emails": []}, "emails"),
    ({"emails": None}, "emails"),
    ({"emails": [7]}, "7"),
    ({"colour": 1}, "colour"),
]


async def test_one_bad_name_and_no_assignment_changes(world: World) -> None:
    await project(world, "Dogs", "Cats")
    before = await assign(world, ["dee@example.com"], ["Dogs"])
    for change, named in BAD_NAMES:
        body = {"emails": ["ben@example.com", "dee@example.com"], "projects": ["Dogs", "Cats"], **change}
        for path in ("/studio/assignments/add", "/studio/assignments/remove"):
            assert named in await world.ana.refused(400, "POST", path, body)
        assert await world.ana.get("/studio/assignments") == before


async def test_parameters_may_come_in_the_query_and_by_the_other_name(world: World) -> None:
    await project(world, "Dogs", "a,b")
    path = "/studio/assignments/add"
    added = await world.ana.post(path, email="ben@example.com,dee@example.com", projects="Dogs")
    assert (added["ben@example.com"], added["dee@example.com"]) == (["Dogs"], ["Dogs"])
    added = await world.ana.post(path, {"email": "ben@example.com"}, **{"projects[]": "a,b"})
    assert added["ben@example.com"] == ["Dogs", "a,b"]


async def test_an_invited_persons_assignments_show_when_they_are_active(world: World) -> None:
    await project(world, "Dogs")
    await world.ana.post("/teams/invite", {"emails": ["Eve@example.com"], "team_role": "labeler"})
    assert await assign(world, ["eve@example.com"], ["Dogs"]) == NOBODY
    group = await world.ana.post("/studio/projects/Dogs/groups", {"name": "New", "emails": ["eve@example.com"]})
    assert [worker["email"] for worker in group["workers"]] == ["eve@example.com"]


async def test_a_disabled_teammate_is_not_shown_not_assigned_but_can_be_unassigned(world: World) -> None:
    await project(world, "Dogs", "Cats")
    await assign(world, ["ben@example.com"], ["Dogs"])
    await world.ana.post("/teams/disable", {"emails": ["ben@example.com"]})
    assert "ben@example.com" not in await world.ana.get("/studio/assignments")
    body = {"emails": ["dee@example.com", "ben@example.com"], "projects": ["Cats"]}
    assert "ben@example.com" in await world.ana.refused(400, "POST", "/studio/assignments/add", body)
    assert (await world.ana.get("/studio/assignments"))["dee@example.com"] == []
    await world.ana.post("/studio/assignments/remove", {"emails": ["ben@example.com"]})
    await world.ana.post("/teams/set_role", {"emails": ["ben@example.com"], "team_role": "labeler"})
    assert (await world.ana.get("/studio/assignments"))["ben@example.com"] == []


async def test_other_teams_projects_cannot_be_assigned(world: World) -> None:
    await world.cid.post("/projects", {"name": "Foreign", "type": "categorization"})
    body = {"emails": ["ben@example.com"], "projects": ["Foreign"]}
    assert "Foreign" in await world.ana.refused(400, "POST", "/studio/assignments/add", body)
    assert await world.cid.get("/studio/assignments") == {"cid@example.com": []}


async def test_a_thousand_people_are_assigned_at_once(world: World) -> None:
    async def hire(tx: Tx) -> list[str]:
        emails = [f"worker{number}@example.com" for number in range(1_000)]
        for email in emails:
            await teams.create_teammate(tx, world.ana.team_id, email, Role.LABELER, world.clock())
        return emails

    await project(world, "Dogs", "Cats")
    emails = await world.db.write(hire)
    added = await assign(world, emails, ["Dogs", "Cats"])
    assert all(added[email] == ["Cats", "Dogs"] for email in emails)
    assert "1,001" in await world.ana.refused(400, "POST", "/studio/assignments/add", {"emails": [*emails, "x"]})


async def test_nobody_is_in_a_group_whose_project_they_are_leaving(world: World) -> None:
    await project(world, "Dogs")
    for _ in range(5):
        await assign(world, ["ben@example.com"], ["Dogs"])
        name = f"group {world.clock()}"
        world.clock.forward(seconds=1)
        await asyncio.gather(
            world.ana.call("POST", "/studio/projects/Dogs/groups", {"name": name, "emails": ["ben@example.com"]}),
            world.ana.call("POST", "/studio/assignments/remove", {"emails": ["ben@example.com"]}),
        )
        groups = await world.ana.get("/studio/projects/Dogs/groups")
        assert all(group["workers"] == [] for group in groups)


async def test_who_is_assigned_can_be_asked(world: World) -> None:
    await project(world, "Dogs")
    await assign(world, ["ben@example.com"], ["Dogs"])
    found = await world.db.read(service.find, world.ana.team_id, "live", "Dogs")
    assert await world.db.read(service.is_assigned, found.id, [world.ben.id, world.dee.id]) == {world.ben.id}
