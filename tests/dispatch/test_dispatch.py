"""Who gets which task, in which order."""

import asyncio

from refonte_studio.kit.caller import Role
from tests.invariants import check, snapshot
from tests.makers import answer, batch, claim, claim_task, project, task
from tests.world import World


async def test_batches_come_in_priority_order_and_tasks_by_age(world: World):
    name = await project(world, people=(world.ben,))
    monday = await batch(world, name, "Monday", tasks=2)
    tuesday = await batch(world, name, "Tuesday", tasks=1)
    await world.ana.post("/studio/batches/set_priorities", {"batches": ["Tuesday"]})
    assert [(await answer(world.ben))["task_id"] for _ in range(3)] == [*tuesday, *monday]
    assert await claim(world.ben) is None


async def test_only_people_assigned_to_the_project_get_its_tasks(world: World):
    name = await project(world, people=(world.ben,))
    await batch(world, name)
    assert await claim(world.dee) is None
    await world.ana.post("/studio/assignments/add", {"emails": [world.dee.email], "projects": [name]})
    assert await claim(world.dee) is not None


async def test_a_batch_in_staging_is_not_worked(world: World):
    name = await project(world)
    await world.ana.post("/batches", {"project": name, "name": "Later"})
    await task(world, name, "Later")
    assert await claim(world.ben) is None
    await world.ana.post("/batches/Later/finalize")
    assert await claim(world.ben) is not None


async def test_a_batch_given_to_groups_is_closed_to_others(world: World):
    name = await project(world)
    await batch(world, name, tasks=2)
    await world.ana.post(f"/studio/projects/{name}/groups", {"name": "Experts", "emails": [world.dee.email]})
    await world.ana.call("PUT", "/studio/batches/Monday", {"groups": ["Experts"]})
    assert await claim(world.ben) is None
    assert await claim(world.dee) is not None
    await world.ana.call("PUT", "/studio/batches/Monday", {"groups": [world.ben.email]})
    assert await claim(world.ben) is not None
    assert await claim(world.dee) is not None, "she finishes what she holds"


async def test_a_consensus_task_is_given_out_side_by_side_and_never_twice_to_one(world: World):
    name = await project(world, people=(world.ben, world.dee, world.mia), wanted=3)
    (first,) = await batch(world, name)
    assert [await claim_task(person) for person in (world.ben, world.dee, world.mia)] == [first] * 3
    assert await claim(world.max) is None
    await answer(world.ben, "dog")
    assert await claim(world.ben) is None
    await answer(world.dee, "cat")
    done = await answer(world.mia, "dog")
    assert done == {"task_id": first, "status": "completed", "attempts": 3, "attempts_wanted": 3}
    assert (await world.ana.get(f"/task/{first}"))["response"] == {"category": "dog"}


async def test_training_comes_first_is_scored_and_looks_like_work(world: World):
    name = await project(world, people=(world.ben,))
    (real,) = await batch(world, name)
    body = {"project": name, "attachment": "https://example.com/t.jpg", "expected_response": {"category": "dog"}}
    training = await world.ana.post("/training_tasks/categorization", body)
    given = await claim(world.ben)
    assert given is not None
    assert given["task"]["task_id"] == training["id"]
    assert given["task"]["batch"] == "Monday"
    assert "dog'" not in str(given["task"]["params"].get("expected_response"))
    done = await world.ben.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}})
    assert done["status"] == "completed"
    assert (await answer(world.ben, "dog"))["task_id"] == training["id"], "it comes again until it is passed"
    assert await claim_task(world.ben) == real
    scored = await world.ana.get("/quality/labelers", labeler_emails=world.ben.email)
    told = [(each["quality_task_id"], each["attempt"], each["score"], each["passed"]) for each in scored["docs"]]
    assert told == [(training["id"], 2, 1.0, True), (training["id"], 1, 0.0, False)]
    assert scored["docs"][0]["expected_response"] == {"category": "dog"}


async def test_an_evaluation_task_is_given_to_everybody_once_among_the_work(world: World):
    name = await project(world)
    body = {"project": name, "attachment": "https://example.com/e.jpg", "expected_response": {"category": "dog"}}
    evaluation = await world.ana.post("/evaluation_tasks/categorization", body)
    real = await batch(world, name, tasks=2)
    seen: list[tuple[str, str]] = []
    for person in (world.ben, world.dee) * 4:
        given = await claim(person)
        if given is None:
            continue
        assert given["task"]["batch"] == "Monday"
        await person.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "dog"}})
        seen.append((person.name, given["task"]["task_id"]))
    assert {("ben", evaluation["id"]), ("dee", evaluation["id"])} < set(seen)
    assert sorted(task for _, task in seen) == sorted([evaluation["id"], evaluation["id"], *real])
    assert (await world.ana.get("/batches/Monday"))["status"] == "completed"
    page = await world.ana.get("/quality/labelers", quality_task_ids=evaluation["id"])
    assert [doc["score"] for doc in page["docs"]] == [1.0, 1.0]
    assert {doc["labeler_email"] for doc in page["docs"]} == {world.ben.email, world.dee.email}


async def test_work_of_an_unassigned_or_disabled_person_goes_back(world: World):
    name = await project(world)
    first, second = await batch(world, name, tasks=2)
    mine = await claim(world.ben)
    assert mine is not None
    await world.ana.post("/studio/assignments/remove", {"emails": [world.ben.email], "projects": [name]})
    await world.ben.refused(409, "POST", f"/work/{mine['claim_id']}/submit", {"response": {"category": "cat"}})
    assert await claim_task(world.dee) == first
    await world.max.post("/teams/disable", {"emails": [world.dee.email]})
    await world.ana.post("/studio/assignments/add", {"emails": [world.ben.email], "projects": [name]})
    assert await claim_task(world.ben) == first
    assert first < second


async def test_a_pipeline_change_reaches_open_tasks_at_once(world: World):
    name = await project(world, wanted=3)
    first, _second = await batch(world, name, tasks=2)
    await answer(world.ben, "dog")
    held = await claim(world.dee)
    assert held is not None
    await world.ana.post(f"/projects/{name}/updatePipelineConfig", {"pipeline": "standard_task"})
    made = await world.ana.get(f"/task/{first}")
    assert (made["status"], made["response"]) == ("completed", {"category": "dog"})
    await world.dee.refused(409, "POST", f"/work/{held['claim_id']}/submit", {"response": {"category": "cat"}})
    assert (await answer(world.dee))["status"] == "completed"


async def test_tasks_sent_to_completion_end_their_claims(world: World):
    name = await project(world, wanted=3)
    await batch(world, name, tasks=2)
    await answer(world.ben, "dog")
    held = await claim(world.dee)
    assert held is not None
    sent = await world.ana.post(f"/studio/projects/{name}/send_tasks_to_completed", {"all_batches": True})
    assert sent == {
        "project": name,
        "completed": 1,
        "batches": [{"name": "Monday", "completed": 1, "pending": 1}],
    }
    await world.dee.refused(409, "POST", f"/work/{held['claim_id']}/submit", {"response": {"category": "cat"}})


async def test_thirty_two_claims_at_once_give_no_place_twice(world: World):
    people = [await world.person(f"labeler{n}", world.ana.team_id, Role.LABELER) for n in range(32)]
    name = await project(world, people=tuple(people), wanted=2)
    await batch(world, name, tasks=20)
    given = await asyncio.gather(*(claim_task(person) for person in people))
    assert None not in given
    assert all(given.count(task_id) <= 2 for task_id in given)
    check(await world.db.read(snapshot))
    await asyncio.gather(*(answer(person) for person in people))
    check(await world.db.read(snapshot))
    assert sum(1 for answers in await asyncio.gather(*(claim_task(person) for person in people)) if answers) == 8


async def test_one_person_claiming_many_times_at_once_holds_one_task(world: World):
    name = await project(world)
    await batch(world, name, tasks=20)
    given = await asyncio.gather(*(claim(world.ben) for _ in range(16)))
    assert len({one["claim_id"] for one in given if one}) == 1
    check(await world.db.read(snapshot))


async def test_one_task_with_ten_places_is_given_to_ten_people_at_once(world: World):
    people = [await world.person(f"labeler{n}", world.ana.team_id, Role.LABELER) for n in range(12)]
    name = await project(world, people=tuple(people), wanted=10)
    await batch(world, name, tasks=1)
    given = await asyncio.gather(*(claim_task(person) for person in people))
    assert sum(task_id is not None for task_id in given) == 10
    done = await asyncio.gather(
        *(answer(person) for person, task_id in zip(people, given, strict=True) if task_id is not None)
    )
    assert sorted(one["attempts"] for one in done) == list(range(1, 11))
    assert [one["status"] for one in done].count("completed") == 1
    check(await world.db.read(snapshot))


async def test_a_task_that_names_only_its_batch_is_of_the_batchs_project(world: World):
    name = await project(world)
    await world.ana.post("/batches", {"project": name, "name": "Monday"})
    made = await world.ana.post("/task/categorization", {"batch": "Monday", "attachment": "https://example.com/1.jpg"})
    assert (made["project"], made["batch"]) == (name, "Monday")
    line = b'{"attachment": "https://example.com/2.jpg"}'
    await world.ana.call("POST", "/tasks/import", content=line, params={"batch": "Monday"})
    assert (await world.ana.get("/tasks", project=name))["total"] == 2
