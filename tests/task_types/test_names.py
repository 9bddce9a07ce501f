"""Names of task types: their own, those of older clients, and those of types that do not exist here."""

import pytest

from refonte_studio.task_types import TYPES
from tests.world import World, ok

GIVEN = {"attachment": "https://x.example/1.jpg", "categories": ["cat", "dog"]}
ELSEWHERE = [
    "lidarannotation",
    "lidarlinking",
    "lidarsegmentation",
    "lidartopdown",
    "sensorfusion",
    "videocuboidannotation",
    "videoboxannotation",
    "laneannotation",
    "documentmodel",
    "multistage",
    "telepathy",
]


@pytest.mark.parametrize("path", ["task", "training_tasks", "evaluation_tasks"])
async def test_a_type_that_is_not_here_is_404_and_names_those_that_are(world: World, path: str) -> None:
    for name in ELSEWHERE:
        error = await world.ana.refused(404, "POST", f"/{path}/{name}", GIVEN)
        assert f"there is no task type '{name}'" in error
        assert all(each in error for each in TYPES)


async def test_categorize_is_categorization_wherever_a_type_is_named(world: World) -> None:
    project = await world.ana.post("/projects", {"name": "Pets", "type": "categorize", "params": {}})
    assert project["type"] == "categorization"
    made = await world.ana.post("/task/categorize", {**GIVEN, "project": "Pets"})
    assert made["type"] == "categorization"
    for kind in ("training", "evaluation"):
        known = {**GIVEN, "project": "Pets", "expected_response": {"category": "cat"}}
        quality = await world.ana.post(f"/{kind}_tasks/categorize", known)
        assert (await world.ana.get(f"/task/{quality['id']}"))["type"] == "categorization"
    found = await world.ana.get("/tasks", type="categorize")
    assert [each["task_id"] for each in found["docs"]] == [made["task_id"]]


async def test_an_imported_line_may_name_its_type_as_older_clients_do(world: World) -> None:
    line = b'{"attachment": "https://x.example/1", "categories": ["cat", "dog"], "type": "categorize"}\n'
    assert ok(await world.ana.call("POST", "/tasks/import", content=line)) == {"created": 1}
    assert [each["type"] for each in (await world.ana.get("/tasks"))["docs"]] == ["categorization"]
