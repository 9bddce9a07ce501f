"""Training and evaluation tasks: who gets them, what they look like, and what is recorded about them."""

from typing import Any

from tests.makers import CATEGORIES, answer, batch, claim, project
from tests.world import World

KNOWN: dict[str, Any] = {"attachment": "https://example.com/k.jpg", "expected_response": {"category": "dog"}}


async def quality_task(world: World, kind: str, project: str, **body: Any) -> str:
    made = await world.ana.post(f"/{kind}_tasks/categorization", {"project": project, **KNOWN, **body})
    assert made["expected_response"] == {"category": "dog"}
    return made["id"]


async def test_a_submission_tells_nothing_of_the_kind_of_task(world: World):
    name = await project(world, people=(world.ben,), wanted=3)
    await batch(world, name, tasks=2)
    await quality_task(world, "training", name)
    await quality_task(world, "evaluation", name)
    answers = [await answer(world.ben, "dog") for _ in range(4)]
    assert {(one["status"], one["attempts"], one["attempts_wanted"]) for one in answers} == {("pending", 1, 3)}
    await world.ana.post(f"/projects/{name}/updatePipelineConfig", {"pipeline": "standard_task"})
    await world.ana.post("/studio/assignments/add", {"emails": [world.dee.email], "projects": [name]})
    done = await answer(world.dee, "dog")
    assert (done["status"], done["attempts"], done["attempts_wanted"]) == ("completed", 1, 1)


async def test_every_claim_and_the_queue_speak_of_the_same_batch(world: World):
    name = await project(world, people=(world.ben,))
    ids = await batch(world, name, tasks=3)
    quality = [await quality_task(world, kind, name) for kind in ("training", "evaluation")]
    waiting = {"name": "Pets", "waiting": 5, "batches": [{"name": "Monday", "waiting": 5}]}
    assert await world.ben.get("/work/queue") == {"waiting": 5, "projects": [waiting]}
    seen = []
    while given := await claim(world.ben):
        assert given["task"]["batch"] == "Monday"
        assert set(given["task"]["params"]) == {"attachment", "categories"}
        await world.ben.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "dog"}})
        seen.append(given["task"]["task_id"])
    assert sorted(seen) == sorted(ids + quality)
    assert [batch["name"] for batch in await world.ana.get("/studio/batches")] == []
    assert {doc["batch"] for doc in (await world.ben.get("/work/history"))["docs"]} == {"Monday"}


async def test_an_evaluation_task_of_a_batch_is_due_after_the_batch_completed(world: World):
    name = await project(world, people=(world.ben, world.dee))
    await world.ana.post("/batches", {"project": name, "name": "Monday"})
    work = {"project": name, "batch": "Monday", "attachment": "https://example.com/1.jpg"}
    await world.ana.post("/task/categorization", work)
    evaluation = await quality_task(world, "evaluation", name, batch="Monday")
    await world.ana.post("/batches/Monday/finalize")
    mine = {(await answer(world.ben))["task_id"] for _ in range(2)}
    assert evaluation in mine
    assert (await world.ana.get("/batches/Monday"))["status"] == "completed"
    assert (await answer(world.dee))["task_id"] == evaluation
    assert await claim(world.dee) is None


async def test_an_expected_response_must_fit_the_task(world: World):
    name = await project(world)
    body = {"project": name, "attachment": "https://example.com/k.jpg"}
    path = "/training_tasks/categorization"
    assert "expected_response" in await world.ana.refused(400, "POST", path, body)
    bad = {**body, "expected_response": {"category": "fish"}}
    assert "'fish'" in await world.ana.refused(400, "POST", path, bad)
    await world.ana.refused(404, "POST", "/training_tasks/nothing", bad)
    await world.ana.refused(404, "POST", "/evaluation_tasks/nothing", {"bogus": 1})
    assert await claim(world.ben) is None


async def test_the_parameters_of_a_quality_task_may_come_in_the_query(world: World):
    name = await project(world)
    made = await world.ana.post(
        "/training_tasks/categorization",
        project=name,
        attachment="https://example.com/k.jpg",
        expected_response='{"category": "dog"}',
    )
    assert made["expected_response"] == {"category": "dog"}


async def test_a_projects_pass_mark_decides(world: World):
    name = await project(world, people=(world.ben,), params={"categories": CATEGORIES, "pass_mark": 0})
    task = await quality_task(world, "training", name)
    await answer(world.ben, "cat")
    (attempt,) = (await world.ana.get("/quality/labelers", quality_task_ids=task))["docs"]
    assert (attempt["score"], attempt["passed"]) == (0.0, True)


async def test_attempts_come_in_pages_the_newest_first(world: World):
    name = await project(world, people=(world.ben, world.dee))
    tasks = [await quality_task(world, "training", name) for _ in range(3)]
    for person in (world.ben, world.dee):
        for _ in tasks:
            world.clock.forward(seconds=1)
            await answer(person, "dog")
    emails = [world.ben.email, world.dee.email]
    first = await world.ana.get("/quality/labelers", labeler_emails=emails, limit=4)
    assert [doc["quality_task_id"] for doc in first["docs"]] == [*tasks[::-1], tasks[2]]
    assert (first["limit"], first["has_more"]) == (4, True)
    rest = await world.ana.get("/quality/labelers", labeler_emails=emails, limit=4, next_token=first["next_token"])
    assert [doc["labeler_email"] for doc in rest["docs"]] == [world.ben.email] * 2
    both = await world.ana.get("/quality/labelers", labeler_emails=world.dee.email, quality_task_ids=tasks[0])
    assert len(both["docs"]) == 1
    await world.ana.refused(400, "GET", "/quality/labelers")
    await world.ana.refused(400, "GET", "/quality/labelers?labeler_emails=")
    assert "'0'" in await world.ana.refused(400, "GET", "/quality/labelers?quality_task_ids=0")
    assert "nobody" in await world.ana.refused(400, "GET", "/quality/labelers?labeler_emails=nobody@example.com")


async def test_a_score_is_graded_by_what_the_type_can_tell(world: World):
    params = {"categories": CATEGORIES, "allow_multiple": True}
    await project(world, people=(world.ben,), params=params)
    body = {"project": "Pets", "attachment": "https://example.com/k.jpg"}
    body["expected_response"] = {"categories": ["cat", "dog"]}
    task = (await world.ana.post("/evaluation_tasks/categorization", body))["id"]
    given = await claim(world.ben)
    assert given is not None
    await world.ben.post(f"/work/{given['claim_id']}/submit", {"response": {"categories": ["dog"]}})
    (attempt,) = (await world.ana.get("/quality/labelers", quality_task_ids=task))["docs"]
    assert 0 < attempt["score"] < 0.8
    assert not attempt["passed"]
    (ben,) = (await world.ana.get("/quality/accuracy"))["docs"]
    assert (ben["accuracy"], ben["mean_score"]) == (0.0, attempt["score"])
