"""Projects: creation, parameters and their versions, the two modes, templates."""

import asyncio
from typing import Any
from urllib.parse import quote

from refonte_studio.db import Tx
from refonte_studio.projects import service
from refonte_studio.projects.model import Project
from tests.world import Person, World

DOGS = {"name": "Dogs", "type": "categorization", "params": {"instruction": "Which breed?"}}


async def test_a_project_is_made_shown_and_listed_newest_first(world: World) -> None:
    made = await world.ana.post("/projects", DOGS)
    assert made["name"] == "Dogs"
    assert made["type"] == "categorization"
    assert made["created_at"] == "2026-02-02T02:40:00.000Z"
    assert (made["studio"], made["rapid"], made["version"]) == (False, False, 1)
    assert made["params"] == {"instruction": "Which breed?"}
    assert made["param_history"] == [
        {"instruction": "Which breed?", "version": 1, "created_at": "2026-02-02T02:40:00.000Z"}
    ]
    assert not {"pipeline", "consensus_attempts", "datasetId"} & set(made)
    world.clock.forward(seconds=1)
    await world.mia.post("/projects", {"name": "Cats", "type": "comparison", "datasetId": "ds_1"})
    assert await world.ana.get("/projects/Dogs") == made
    listed = await world.ana.get("/projects")
    assert [project["name"] for project in listed] == ["Cats", "Dogs"]
    assert listed[1] == made
    assert listed[0]["datasetId"] == "ds_1"


async def test_a_studio_project_shows_its_pipeline(world: World) -> None:
    plain = await world.ana.post("/projects", {**DOGS, "name": "a", "studio": True})
    assert (plain["studio"], plain["pipeline"]) == (True, "standard_task")
    assert "consensus_attempts" not in plain
    three = await world.ana.post("/projects", {**DOGS, "name": "b", "studio": True, "pipeline": "consensus_task"})
    assert (three["pipeline"], three["consensus_attempts"]) == ("consensus_task", 3)
    body = {**DOGS, "name": "c", "studio": True, "pipeline": "consensus_task", "consensus_attempts": 15}
    assert (await world.ana.post("/projects", body))["consensus_attempts"] == 15


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"type": "poetry"}, "poetry"),
    ({"name": " "}, "' '"),
    ({"name": "x" * 201}, "201"),
    ({"name": "a\nb"}, "\\n"),
    ({"name": None}, "name"),
    ({"params": []}, "params"),
    ({"studio": "yes"}, "studio"),
    ({"pipeline": "standard_task"}, "pipeline"),
    ({"consensus_attempts": 3}, "consensus_attempts"),
    ({"studio": True, "pipeline": "quorum"}, "quorum"),
    ({"studio": True, "pipeline": "consensus_task", "consensus_attempts": 1}, "1"),
    ({"studio": True, "pipeline": "consensus_task", "consensus_attempts": 16}, "16"),
    ({"studio": True, "pipeline": "standard_task", "consensus_attempts": 3}, "consensus_attempts"),
    ({"studio": True, "consensus_attempts": 3}, "consensus_attempts"),
    ({"instruction": "another"}, "another"),
    ({"colour": "red"}, "colour"),
]


async def test_a_malformed_project_is_refused_and_not_made(world: World) -> None:
    for change, named in MALFORMED:
        assert named in await world.ana.refused(400, "POST", "/projects", {**DOGS, **change})
        assert await world.ana.get("/projects") == []


async def test_a_name_is_taken_once_in_a_team_and_mode(world: World) -> None:
    await world.ana.post("/projects", DOGS)
    assert "Dogs" in await world.max.refused(409, "POST", "/projects", DOGS)
    await world.ana.post("/projects", DOGS, mode="test")
    await world.cid.post("/projects", DOGS)
    assert len(await world.ana.get("/projects")) == 1


async def test_projects_made_at_the_same_time_with_one_name_become_one(world: World) -> None:
    answers = await asyncio.gather(*(world.ana.call("POST", "/projects", DOGS) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


async def test_other_modes_and_teams_projects_do_not_exist(world: World) -> None:
    await world.ana.post("/projects", DOGS)
    strangers: tuple[tuple[Person, dict[str, Any]], ...] = ((world.cid, {}), (world.ana, {"mode": "test"}))
    for person, how in strangers:
        assert await person.get("/projects", **how) == []
        assert "Dogs" in await person.refused(404, "GET", "/projects/Dogs", **how)
        await person.refused(404, "POST", "/projects/Dogs/setParams", {"instruction": "x"}, **how)
        await person.refused(404, "GET", "/projects/Dogs/taskTemplates", **how)


NAMES = ["a/b c", "Straßen & Plätze?", "犬 100%", "setParams", '"quoted"', "a,b"]


async def test_a_name_may_hold_any_characters(world: World) -> None:
    for name in NAMES:
        await world.ana.post("/projects", {**DOGS, "name": name})
        path = f"/projects/{quote(name, safe='')}"
        assert (await world.ana.get(path))["name"] == name
        assert (await world.ana.post(f"{path}/setParams", {"instruction": "x"}))["name"] == name


async def test_parameters_are_replaced_or_with_patch_merged_each_time_as_a_new_version(world: World) -> None:
    await world.ana.post("/projects", {**DOGS, "params": {"instruction": "one", "categories": ["a", "b"]}})
    world.clock.forward(minutes=1)
    body = {"patch": True, "instruction": "two"}
    merged = await world.ana.post("/projects/Dogs/setParams", body)
    assert merged["params"] == {"instruction": "two", "categories": ["a", "b"]}
    world.clock.forward(minutes=1)
    response = await world.ana.call("PUT", "/projects/Dogs/setParams", {"patch": False, "instruction": "three"})
    replaced = response.json()
    assert replaced["params"] == {"instruction": "three"}
    assert replaced["version"] == 3
    assert replaced["param_history"] == [
        {
            "instruction": "one",
            "categories": ["a", "b"],
            "version": 1,
            "created_at": "2026-02-02T02:40:00.000Z",
        },
        {
            "instruction": "two",
            "categories": ["a", "b"],
            "version": 2,
            "created_at": "2026-02-02T02:41:00.000Z",
        },
        {"instruction": "three", "version": 3, "created_at": "2026-02-02T02:42:00.000Z"},
    ]
    assert await world.ana.get("/projects/Dogs") == replaced
    taken_away = await world.ana.post("/projects/Dogs/setParams", {"instruction": None}, patch="true")
    assert taken_away["params"] == {}


BAD_PARAMETERS: list[tuple[Any, dict[str, str]]] = [
    ([], {}),
    ("text", {}),
    ({"patch": "yes"}, {}),
    ({"patch": True}, {"patch": "false"}),
    ({}, {"colour": "red"}),
    ({"catgories": ["a", "b"]}, {}),
    ({"categories": ["a", "b"], "allow_multiple": "yes"}, {}),
    ({"callback_url": "nope"}, {}),
    ({}, {}),
    ({"instruction": None}, {}),
    ({"patch": True}, {}),
]


async def test_bad_parameters_are_refused_and_no_version_comes_of_them(world: World) -> None:
    await world.ana.post("/projects", DOGS)
    for body, query in BAD_PARAMETERS:
        await world.ana.refused(400, "POST", "/projects/Dogs/setParams", body, params=query)
        await world.ana.refused(404, "POST", "/projects/Birds/setParams", body, params=query)
        assert (await world.ana.get("/projects/Dogs"))["version"] == 1


async def test_versions_made_at_the_same_time_are_all_kept(world: World) -> None:
    await world.ana.post("/projects", DOGS)
    names = ["title", "description", "attachment_name", "attachment_type", "text", "allow_multiple", "required"]
    changes = [{"patch": True, name: name.startswith(("allow", "req")) or "text"} for name in names]
    await asyncio.gather(*(world.ana.post("/projects/Dogs/setParams", change) for change in changes))
    project = await world.ana.get("/projects/Dogs")
    assert project["version"] == 8
    assert project["params"].keys() == {"instruction", *names}
    assert [one["version"] for one in project["param_history"]] == list(range(1, 9))


async def test_a_textcollection_project_has_a_task_template(world: World) -> None:
    fields = [{"field_id": "sound", "type": "category", "title": "Is it sound?", "choices": ["yes", "no"]}]
    await world.ana.post("/projects", {"name": "Text", "type": "textcollection", "params": {"fields": fields}})
    await world.ana.post("/projects", DOGS)
    template = await world.ana.get("/projects/Text/taskTemplates")
    assert template["version"] == 1
    assert template["template_variables"] == {"fields": fields}
    assert template["response_schema"] == {"sound": {"type": "category", "title": "Is it sound?"}}
    assert "does not support task templates" in await world.ana.refused(400, "GET", "/projects/Dogs/taskTemplates")


async def test_a_labeler_sees_and_changes_nothing_of_projects(world: World) -> None:
    await world.ana.post("/projects", DOGS)
    await world.ben.refused(403, "POST", "/projects", DOGS)
    await world.ben.refused(403, "POST", "/projects/Nothing/setParams", {})
    for path in ("/projects", "/projects/Dogs", "/studio/assignments", "/studio/projects/Dogs/groups"):
        await world.ben.refused(403, "GET", path)


async def test_the_default_project_comes_into_being_once_and_evades_a_taken_name(world: World) -> None:
    team_id = world.ana.team_id
    found = await asyncio.gather(
        *(world.db.write(service.default_project, team_id, "live", world.clock()) for _ in range(6))
    )
    assert {project.id for project in found} == {found[0].id}
    assert (found[0].name, found[0].type) == ("default", "any")
    await world.ana.post("/projects", {**DOGS, "name": "default"}, mode="test")
    other = [await world.db.write(service.default_project, team_id, "test", world.clock()) for _ in range(2)]
    assert [project.name for project in other] == ["default 2"] * 2
    assert other[0] == other[1]


async def test_the_pipeline_of_a_studio_project_changes_and_remembers_its_attempts(world: World) -> None:
    async def change(tx: Tx, pipeline: str, attempts: int | None) -> Project:
        project = await service.find(tx, world.ana.team_id, "live", "Dogs")
        return await service.set_pipeline(tx, project, pipeline, attempts)

    await world.ana.post("/projects", {**DOGS, "studio": True})
    assert (await world.db.write(change, "consensus_task", None)).attempts_wanted == 3
    assert (await world.db.write(change, "consensus_task", 5)).attempts_wanted == 5
    assert (await world.db.write(change, "standard_task", None)).attempts_wanted == 1
    assert (await world.db.write(change, "consensus_task", None)).attempts_wanted == 5
    assert (await world.ana.get("/projects/Dogs"))["consensus_attempts"] == 5


async def test_the_project_of_the_path_is_looked_for_whatever_else_is_named(world: World) -> None:
    await world.max.post("/projects", {"name": "Pets", "type": "categorization", "studio": True})
    absent = "/studio/projects/Plants/send_tasks_to_completed?name=Pets"
    assert "'Plants'" in await world.max.refused(404, "POST", absent, {"all_batches": True})
    present = "/studio/projects/Pets/send_tasks_to_completed"
    assert "name" in await world.max.refused(400, "POST", present, {"name": "Plants", "all_batches": True})
