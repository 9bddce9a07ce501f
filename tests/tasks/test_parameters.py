"""Parameters are checked wherever they are set: on a project, in setParams, on a task and in an import."""

from typing import Any

import pytest

from refonte_studio.kit.clock import parse_time
from tests.world import World

THING: dict[str, Any] = {"attachment": "https://example.com/dogs/1.jpg", "attachment_type": "image"}
GOOD: dict[str, Any] = {**THING, "categories": ["cat", "dog"]}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"allow_multiple": "yes"}, "'yes'"),
    ({"callback_url": "nope"}, "callback_url"),
    ({"catgories": ["cat", "dog"]}, "'catgories' (did you mean 'categories'?)"),
    ({"categories": ["cat", " cat "]}, "categories[1]: ' cat ' is the same as categories[0]"),
    ({"categories": ["\u00e9", "e\u0301"]}, "is the same as categories[0]"),
    ({"categories": ["cat", "\u200b"]}, "categories[1] must hold a visible character"),
    ({"categories": ["cat", {"name": "pet", "choices": ["cat"]}]}, "categories[1].choices[0]: 'cat'"),
    ({"categories": ["cat", "dog"], "taxonomies": {"pet": {"choices": ["cat", "dog"]}}}, "taxonomies"),
    ({"attachment": "javascript:alert(1)"}, "attachment"),
    ({"attachment": "https://bad host/", "attachment_type": "image"}, "attachment"),
    ({"attachments": ["data:text/html,x"]}, "attachments[0]"),
    ({"context_attachments": [{"type": "image", "content": "file:///etc/passwd"}]}, "context_attachments[0].content"),
    ({"layers": {"map": {"url": "javascript:x"}}}, "layers.map.url"),
    ({"responses_required": 0}, "responses_required: 0"),
]


@pytest.mark.parametrize(("wrong", "named"), WRONG, ids=[named for _, named in WRONG])
async def test_a_wrong_parameter_is_named_wherever_it_enters(world: World, wrong: dict[str, Any], named: str):
    await world.ana.post("/projects", {"name": "Pets", "type": "categorization"})
    project = {"name": "Dogs", "type": "categorization", "params": wrong}
    assert named in await world.ana.refused(400, "POST", "/projects", project)
    for patch in (True, False):
        assert named in await world.ana.refused(400, "POST", "/projects/Pets/setParams", {**wrong, "patch": patch})
    for path in ("/task/categorization", "/training_tasks/categorization", "/evaluation_tasks/categorization"):
        task = {**GOOD, **wrong, "project": "Pets", "expected_response": {"category": "cat"}}
        if path.startswith("/task/"):
            del task["expected_response"]
        assert named in await world.ana.refused(400, "POST", path, task)
    assert (await world.ana.get("/projects/Pets"))["version"] == 1


async def test_a_project_may_leave_out_what_its_tasks_bring(world: World):
    for params in ({"categories": ["a", "b"]}, {"allow_multiple": "true"}, THING, {}):
        name = f"Project {len(params)} {next(iter(params), '')}"
        await world.ana.post("/projects", {"name": name, "type": "categorization", "params": params})
        rest = {key: value for key, value in GOOD.items() if key not in params}
        await world.ana.post("/task/categorization", {**rest, "project": name})


async def test_what_is_set_must_go_with_what_the_project_has(world: World):
    params = {"image_size": {"width": 100, "height": 50}}
    await world.ana.post("/projects", {"name": "Boxes", "type": "annotation", "params": params})
    path = "/projects/Boxes/setParams"
    assert "image_width" in await world.ana.refused(400, "POST", path, {"image_width": 90, "patch": True})
    assert (await world.ana.post(path, {"image_width": "100", "patch": "true"}))["params"]["image_width"] == 100
    assert "min_width" in await world.ana.refused(400, "POST", path, {"min_width": 101, "patch": True})
    assert (await world.ana.post(path, {"image_width": 90}))["params"] == {"image_width": 90}


async def test_setting_nothing_takes_nothing_away(world: World):
    await world.ana.post("/projects", {"name": "Pets", "type": "categorization", "params": {"categories": ["a", "b"]}})
    for body in ({}, {"patch": True}, {"categories": None}):
        refused = await world.ana.refused(400, "POST", "/projects/Pets/setParams", body)
        assert "no parameters are given" in refused or "patch" in body
    removed = await world.ana.post("/projects/Pets/setParams", {"categories": None, "patch": True})
    assert removed["params"] == {}


async def test_a_task_gives_taxonomies_in_place_of_its_projects_categories(world: World):
    await world.ana.post("/projects", {"name": "Pets", "type": "categorization", "params": {"categories": ["a", "b"]}})
    own = {**THING, "project": "Pets", "taxonomies": {"pet": {"choices": ["cat", "dog"]}}}
    task = await world.ana.post("/task/categorization", own)
    assert "categories" not in task["params"]


async def test_names_are_kept_in_one_form_and_a_hypothesis_is_a_response(world: World):
    params = {**THING, "categories": [" cafe\u0301 ", "dog"]}
    for wrong in ({"category": "cow"}, {"categories": ["dog"]}, {}):
        bad = {**params, "hypothesis": wrong}
        assert "hypothesis" in await world.ana.refused(400, "POST", "/task/categorization", bad)
    task = await world.ana.post("/task/categorization", {**params, "hypothesis": {"category": "cafe\u0301"}})
    assert task["params"]["categories"] == ["caf\u00e9", "dog"]


async def test_the_default_project_takes_what_every_type_takes(world: World):
    await world.ana.post("/task/categorization", GOOD)
    path = "/projects/default/setParams"
    await world.ana.post(path, {"labels": ["a", "b"]})
    await world.ana.post("/task/categorization", GOOD)  # a type without labels does not inherit them
    assert "'lables'" in await world.ana.refused(400, "POST", path, {"lables": ["a"]})
    await world.ana.refused(400, "POST", path, {"hypothesis": {"category": "cat"}})
    await world.ana.refused(400, "POST", path, {"unique_id": "one"})


@pytest.mark.parametrize("moment", ["2026-02-02T23:59:59.9999Z", "2026-02-02T23:59:59.999999+00:00"])
def test_times_are_cut_off_to_milliseconds(moment: str):
    assert parse_time("submitted_at", moment) == parse_time("submitted_at", "2026-02-02T23:59:59.999Z")
    assert parse_time("start_time", "1969-12-31T23:59:59.9999Z") == -1
