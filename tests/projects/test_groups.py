"""Groups of labelers within a project."""

import asyncio
from typing import Any

from tests.world import World, ok

GROUPS = "/studio/projects/Dogs/groups"
BEN, DEE = "ben@example.com", "dee@example.com"


async def project(world: World, name: str = "Dogs", *emails: str) -> None:
    await world.ana.post("/projects", {"name": name, "type": "categorization", "studio": True})
    await world.ana.post("/studio/assignments/add", {"emails": emails or [BEN, DEE], "projects": [name]})


def members(group: dict[str, Any]) -> list[str]:
    assert group["numWorkers"] == len(group["workers"])
    return [worker["email"] for worker in group["workers"]]


async def test_a_group_is_made_and_listed_with_its_members_by_address(world: World) -> None:
    await project(world)
    made = await world.ana.post(GROUPS, {"name": "Night shift", "emails": [DEE, "BEN@example.com", BEN]})
    assert made == {
        "id": made["id"],
        "name": "Night shift",
        "numWorkers": 2,
        "isSingleton": False,
        "workers": [{"id": world.ben.id, "email": BEN}, {"id": world.dee.id, "email": DEE}],
    }
    assert await world.mia.get(GROUPS) == [made]


async def test_members_are_added_and_removed_by_both_methods(world: World) -> None:
    await project(world)
    await world.ana.post(GROUPS, {"name": "a/b", "emails": [BEN]})
    path = f"{GROUPS}/a%2Fb"
    assert members(await world.ana.post(path, {"add_emails": [DEE], "remove_emails": [BEN]})) == [DEE]
    assert members(ok(await world.ana.call("PUT", path, {"add_emails": [BEN, DEE]}))) == [BEN, DEE]
    assert members(await world.ana.post(path)) == [BEN, DEE]
    assert members(await world.ana.post(path, {"add_emails": [], "remove_emails": []})) == [BEN, DEE]
    assert members(await world.ana.post(path, remove_emails=f"{BEN},ana@example.com")) == [DEE]
    assert members(await world.ana.post(path, {"remove_emails": [DEE]})) == []


BAD_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"add_emails": ["mia@example.com"]}, "mia@example.com"),
    ({"add_emails": [DEE, "nobody@example.com"]}, "nobody@example.com"),
    ({"add_emails": [DEE], "remove_emails": ["nobody@example.com"]}, "nobody@example.com"),
    ({"add_emails": [BEN], "remove_emails": ["BEN@example.com"]}, BEN),
    ({"emails": [DEE]}, "emails"),
]


async def test_a_bad_change_of_members_changes_nothing(world: World) -> None:
    await project(world)
    before = await world.ana.post(GROUPS, {"name": "Night", "emails": [BEN]})
    for body, named in BAD_CHANGES:
        assert named in await world.ana.refused(400, "POST", f"{GROUPS}/Night", body)
        assert await world.ana.get(GROUPS) == [before]


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"name": "Night", "emails": ["mia@example.com", BEN]}, "mia@example.com"),
    ({"name": "Night", "emails": ["cid@example.com"]}, "cid@example.com"),
    ({"emails": [BEN]}, "name"),
    ({"name": "", "emails": [BEN]}, "name"),
    ({"name": "x" * 201, "emails": [BEN]}, "201"),
    ({"name": BEN, "emails": [BEN]}, BEN),
]


async def test_a_malformed_group_is_refused(world: World) -> None:
    await project(world)
    for body, named in MALFORMED:
        assert named in await world.ana.refused(400, "POST", GROUPS, body)
        assert await world.ana.get(GROUPS) == []


async def test_a_groups_name_is_taken_once_in_a_project(world: World) -> None:
    await project(world)
    await project(world, "Cats")
    body = {"name": "Night", "emails": [BEN]}
    answers = await asyncio.gather(*(world.ana.call("POST", GROUPS, body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    await world.ana.post("/studio/projects/Cats/groups", body)


async def test_unknown_projects_and_groups_in_the_path_are_not_found(world: World) -> None:
    await project(world)
    await world.ana.post(GROUPS, {"name": "Night", "emails": [BEN]})
    for person, mode in ((world.cid, "live"), (world.ana, "test")):
        await person.refused(404, "GET", GROUPS, mode=mode)
        await person.refused(404, "POST", GROUPS, {"name": "Night"}, mode=mode)
        await person.refused(404, "PUT", f"{GROUPS}/Night", {"colour": 1}, mode=mode)
    assert "Day" in await world.ana.refused(404, "PUT", f"{GROUPS}/Day", {"add_emails": ["nobody@example.com"]})
    await world.ben.refused(403, "PUT", f"{GROUPS}/Day", {})


async def test_leaving_a_project_is_leaving_its_groups_and_no_others(world: World) -> None:
    await project(world)
    await project(world, "Cats")
    await world.ana.post(GROUPS, {"name": "Night", "emails": [BEN, DEE]})
    await world.ana.post("/studio/projects/Cats/groups", {"name": "Night", "emails": [BEN]})
    await world.ana.post("/studio/assignments/remove", {"emails": [BEN], "projects": ["Dogs"]})
    assert [members(group) for group in await world.ana.get(GROUPS)] == [[DEE]]
    assert [members(group) for group in await world.ana.get("/studio/projects/Cats/groups")] == [[BEN]]


async def test_the_group_of_one_person_follows_that_persons_assignment(world: World) -> None:
    await project(world)
    await world.ana.post("/batches", {"project": "Dogs", "name": "Monday"})
    await world.ana.post("/studio/batches/Monday", {"groups": ["BEN@example.com"]})
    (single,) = await world.ana.get(GROUPS)
    assert (single["name"], single["isSingleton"], members(single)) == (BEN, True, [BEN])
    path = f"{GROUPS}/Ben%40example.com"
    assert DEE not in members(await world.ana.post(path, {"add_emails": [BEN], "remove_emails": [DEE]}))
    await world.ana.refused(400, "POST", path, {"add_emails": [DEE]})
    await world.ana.refused(400, "POST", path, {"remove_emails": [BEN]})
    await world.ana.post("/studio/assignments/remove", {"emails": [BEN]})
    assert [members(group) for group in await world.ana.get(GROUPS)] == [[]]
    await world.ana.post("/studio/assignments/add", {"emails": [BEN], "projects": ["Dogs"]})
    assert [members(group) for group in await world.ana.get(GROUPS)] == [[BEN]]


async def test_a_group_may_start_without_members(world: World):
    await world.ana.post("/projects", {"name": "Empty", "type": "categorization", "studio": True})
    for body in ({"name": "later"}, {"name": "much later", "emails": []}):
        made = await world.ana.post("/studio/projects/Empty/groups", body)
        assert (made["numWorkers"], made["workers"]) == (0, [])
