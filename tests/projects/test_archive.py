"""An archived project gives out no work and takes no tasks, until it is brought back."""

import asyncio
import json

from tests.imports.external_attempts import check_invariants
from tests.makers import answer, batch, claim, project, task
from tests.quality.makers import make_quality_task
from tests.reviews import makers as reviews
from tests.world import World

TASK = {"project": "Pets", "attachment": "https://example.com/1.jpg"}


async def archive(world: World, name: str = "Pets") -> None:
    assert (await world.max.post(f"/projects/{name}/archive"))["archived"] is True


async def test_archived_projects_are_listed_by_themselves(world: World):
    await project(world, "Pets")
    await project(world, "Signs")
    await archive(world)
    await archive(world)  # again changes nothing
    assert [each["name"] for each in await world.mia.get("/projects")] == ["Signs"]
    assert [each["name"] for each in await world.mia.get("/projects", archived="true")] == ["Pets"]
    assert (await world.mia.get("/projects/Pets"))["archived"] is True
    assert (await world.max.post("/projects/Pets/unarchive"))["archived"] is False
    assert [each["name"] for each in await world.mia.get("/projects", archived="false")] == ["Signs", "Pets"]


async def test_an_archived_project_gives_out_no_task_until_it_is_brought_back(world: World):
    await project(world)
    await batch(world, "Pets", tasks=3)
    held = await claim(world.ben)
    assert held is not None
    await archive(world)
    assert await claim(world.dee) is None
    assert (await world.dee.get("/work/queue"))["waiting"] == 0
    done = await world.ben.post(f"/work/{held['claim_id']}/submit", {"response": {"category": "cat"}})
    assert done["status"] == "completed", "what people hold, they may finish"
    assert await claim(world.ben) is None
    assert await claim(world.ben, project="Pets") is None
    assert await claim(world.ben, batch="Monday") is None
    assert [each["name"] for each in await world.max.get("/studio/batches")] == ["Monday"], "it keeps its place"
    await world.max.post("/projects/Pets/unarchive")
    assert (await world.dee.get("/work/queue"))["waiting"] == 2
    await answer(world.dee)
    await answer(world.ben)
    await check_invariants(world)


async def test_work_of_other_projects_goes_on(world: World):
    await project(world, "Pets")
    await project(world, "Signs")
    await batch(world, "Pets")
    await batch(world, "Signs", "Tuesday")
    await archive(world)
    given = await claim(world.ben)
    assert given is not None
    assert given["task"]["project"] == "Signs"


async def test_who_is_assigned_to_an_archived_project_gets_its_work_when_it_is_back(world: World):
    await project(world, people=())
    await batch(world, "Pets")
    await archive(world)
    await world.max.post("/studio/assignments/add", {"emails": [world.ben.email], "projects": ["Pets"]})
    assert await claim(world.ben) is None
    await world.max.post("/projects/Pets/unarchive")
    assert await claim(world.ben) is not None


async def test_an_archived_project_gives_out_no_training_evaluation_or_review(world: World):
    await reviews.project(world)
    await batch(world, "Pets", tasks=2)
    await answer(world.ben)
    await make_quality_task(world, "training")
    await make_quality_task(world, "evaluation")
    await archive(world)
    for person in (world.ben, world.dee):
        assert await claim(person) is None
        assert (await person.get("/work/queue"))["waiting"] == 0
    assert (await world.dee.get("/work/training"))["projects"] == []
    assert await reviews.claim(world.mia) is None
    await world.max.post("/projects/Pets/unarchive")
    assert await claim(world.dee) is not None
    assert await reviews.claim(world.mia) is not None


async def test_an_archived_project_takes_no_tasks(world: World):
    await project(world)
    await world.max.post("/batches", {"project": "Pets", "name": "Monday"})
    done = await task(world, "Pets")
    await answer(world.ben)
    await world.max.post(f"/task/{done}/audit", {"accepted": True})
    await archive(world)
    known = {**TASK, "expected_response": {"category": "cat"}}
    refused = [
        ("/task/categorization", TASK),
        ("/task/categorization", {**TASK, "project": None, "batch": "Monday"}),
        ("/training_tasks/categorization", known),
        ("/evaluation_tasks/categorization", known),
        (f"/task/{done}/quality_task", {"kind": "training"}),
    ]
    for path, body in refused:
        assert "'Pets' is archived" in await world.max.refused(400, "POST", path, body), path
    lines = json.dumps({**TASK, "type": "categorization"})
    answered = await world.max.call(
        "POST", "/tasks/import", content=lines.encode(), headers={"Content-Type": "application/x-ndjson"}
    )
    assert answered.status_code == 400
    assert "'Pets' is archived" in answered.json()["lines"][0]["error"]
    assert (await world.max.get("/tasks", project="Pets"))["total"] == 1
    await world.max.post("/projects/Pets/unarchive")
    await world.max.post("/task/categorization", TASK)


async def test_nobody_slips_in_while_a_project_is_archived(world: World):
    """Tasks, assignments and claims at the same moment come before it, or not at all."""
    await project(world, people=(world.dee,))
    await batch(world, "Pets", tasks=4)
    await asyncio.gather(
        world.max.call("POST", "/studio/assignments/add", {"emails": [world.ben.email], "projects": ["Pets"]}),
        world.max.call("POST", "/projects/Pets/archive"),
        world.max.call("POST", "/task/categorization", TASK),
        world.dee.call("POST", "/work/claim"),
    )
    assert await claim(world.ben) is None
    await world.max.refused(400, "POST", "/task/categorization", TASK)
    await check_invariants(world)


async def test_batches_of_archived_projects_can_be_left_out(world: World):
    await project(world, "Pets")
    await project(world, "Signs")
    await batch(world, "Pets", "Monday")
    await batch(world, "Signs", "Tuesday")
    await archive(world)
    assert [each["name"] for each in (await world.max.get("/batches"))["docs"]] == ["Tuesday", "Monday"]
    left = await world.max.get("/batches", exclude_archived="true")
    assert ([each["name"] for each in left["docs"]], left["totalDocs"]) == (["Tuesday"], 1)


async def test_disabling_somebody_leaves_their_archived_projects_archived(world: World):
    await project(world)
    await archive(world)
    await world.max.post("/teams/disable", {"emails": [world.ben.email]})
    await check_invariants(world)
