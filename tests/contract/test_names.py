"""A name in another Unicode form, with white space around it, or in Punycode: the same thing everywhere."""

import json
import unicodedata
from typing import Any

import pytest

from tests.world import World

PROJECT, BATCH, GROUP, TAG = "Grüße", "Été 1", "Équipe", "à revoir"
ADDRESS, PUNYCODE = "jürgen@münchen.example", "JÜRGEN@xn--mnchen-3ya.example\n"
TASK = {"attachment": "hallo", "attachment_type": "text", "categories": ["a", "b"]}


def other(name: str) -> str:
    """The same name as another keyboard and another form field give it."""
    return f" {unicodedata.normalize('NFD', name)}\n"


async def made(world: World) -> str:
    """A project with a batch, a group and a tagged task; answers the task's id."""
    await world.max.post("/projects", {"name": PROJECT, "type": "categorization", "studio": True})
    await world.max.post("/teams/invite", {"emails": [PUNYCODE], "team_role": "labeler"})
    await world.max.post(
        "/studio/assignments/add", {"emails": [ADDRESS, "Ben@Example.com"], "projects": [other(PROJECT)]}
    )
    await world.max.post("/batches", {"name": other(BATCH), "project": other(PROJECT)})
    await world.max.post(f"/studio/projects/{PROJECT}/groups", {"name": other(GROUP), "emails": [PUNYCODE]})
    task = await world.max.post(
        "/task/categorization", {**TASK, "project": other(PROJECT), "batch": other(BATCH), "tags": [other(TAG), TAG]}
    )
    return task["task_id"]


async def test_what_is_made_with_an_equal_name_exists_already(world: World):
    await made(world)
    again = [
        ("/projects", {"name": other(PROJECT), "type": "comparison"}),
        ("/batches", {"name": other(BATCH), "project": PROJECT}),
        (f"/studio/projects/{PROJECT}/groups", {"name": other(GROUP)}),
    ]
    for path, body in again:
        assert "already" in await world.max.refused(409, "POST", path, body)
    people = await world.max.post("/teams/invite", {"emails": [ADDRESS, PUNYCODE], "team_role": "labeler"})
    assert [mate["email"] for mate in people if "rgen" in mate["email"]] == [ADDRESS]


async def test_an_equal_name_finds_it_in_paths_and_filters(world: World):
    task_id = await made(world)
    project, batch, group = (other(name).replace("\n", "%0A") for name in (PROJECT, BATCH, GROUP))
    assert (await world.max.get(f"/projects/{project}"))["name"] == PROJECT
    assert (await world.max.get(f"/batches/{batch}"))["name"] == BATCH
    assert (await world.max.post(f"/studio/projects/{project}/groups/{group}", {}))["name"] == GROUP
    assert [each["name"] for each in (await world.max.get("/batches", project=other(PROJECT)))["docs"]] == [BATCH]
    for filters in ({"project": other(PROJECT)}, {"batch": other(BATCH)}, {"tags": other(TAG)}):
        docs = (await world.max.get("/tasks", **filters))["docs"]
        assert [(task["task_id"], task["tags"]) for task in docs] == [(task_id, [TAG])]
    await world.max.call("DELETE", f"/task/{task_id}/tags", [other(TAG)])
    assert (await world.max.get("/tasks", tags=TAG))["docs"] == []


async def test_an_equal_name_finds_it_in_the_queue_and_in_claims(world: World):
    task_id = await made(world)
    await world.max.post(f"/batches/{BATCH}/finalize")
    assert (await world.max.post(f"/studio/batches/{BATCH}", {"groups": [other(GROUP), "BEN@example.com "]}))[
        "groups"
    ] == [
        GROUP,
        "ben@example.com",
    ]
    for group in (other(GROUP), "BEN@example.com"):
        assert [each["name"] for each in await world.max.get("/studio/batches", group=group)] == [BATCH]
    put_first = {"batches": [other(BATCH)], "group": other(GROUP), "project": other(PROJECT)}
    assert [each["name"] for each in await world.max.post("/studio/batches/set_priorities", put_first)] == [BATCH]
    twice = await world.max.refused(400, "POST", "/studio/batches/set_priorities", {"batches": [BATCH, other(BATCH)]})
    assert "more than once" in twice
    claim = await world.ben.post("/work/claim", {"project": other(PROJECT), "batch": other(BATCH)})
    assert claim["task"]["batch"] == BATCH
    assert (await world.max.get(f"/task/{task_id}"))["status"] == "pending"


async def test_an_imported_labeler_of_an_equal_name_is_the_same_person(world: World):
    lines: list[dict[str, Any]] = [
        {"attempts": [{"labeler": labeler, "response": {"category": "a"}}], **TASK, "type": "categorization"}
        for labeler in ("Zoé", other("Zoé"), "w@münchen.example", " W@xn--mnchen-3ya.example")
    ]
    content = "\n".join(map(json.dumps, lines))
    response = await world.max.call(
        "POST", "/tasks/import", headers={"Content-Type": "application/x-ndjson"}, content=content.encode()
    )
    assert response.status_code == 200, response.text
    exported = await world.max.call("GET", "/tasks/export", params={"attempts": "true"})
    labelers = [json.loads(line)["attempts"][0]["labeler"] for line in exported.text.splitlines()]
    assert labelers == ["Zoé", "Zoé", "w@münchen.example", "w@münchen.example"]


@pytest.mark.parametrize("name", ["\u200b", "\u0301", "\u3164", "two\nlines"])
async def test_a_name_that_cannot_be_seen_or_is_not_one_line_makes_nothing(world: World, name: str):
    await made(world)
    refused = [
        ("/projects", {"name": name, "type": "comparison"}),
        ("/batches", {"name": name, "project": PROJECT}),
        (f"/studio/projects/{PROJECT}/groups", {"name": name}),
        ("/task/categorization", {**TASK, "tags": [name]}),
        ("/keys", {"name": name, "mode": "live"}),
        ("/teams/invite", {"emails": [f"{name}@x.test"], "team_role": "labeler"}),
    ]
    for path, body in refused:
        assert repr(name)[1:-1] in await world.ana.refused(400, "POST", path, body)
