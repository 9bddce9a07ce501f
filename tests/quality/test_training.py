"""Training is a course that is passed before real work, within a number of attempts, with feedback."""

import asyncio

from tests.invariants import check, snapshot
from tests.makers import CATEGORIES, answer, batch, claim, claim_task, known_as, project
from tests.quality.makers import change_settings, lift_pause, list_pauses, make_quality_task
from tests.world import World


async def test_a_task_comes_again_until_it_is_passed_before_any_real_work(world: World):
    name = await project(world, people=(world.ben,))
    (real,) = await batch(world, name)
    first, second = [await make_quality_task(world, "training") for _ in range(2)]
    seen = [(await answer(world.ben, category))["task_id"] for category in ("cat", "cat", "dog", "bird", "dog")]
    assert seen == [first, first, first, second, second]
    assert await claim_task(world.ben) == real
    docs = (await world.ana.get("/quality/labelers", labeler_emails=world.ben.email))["docs"]
    assert [(each["quality_task_id"], each["attempt"], each["passed"]) for each in docs[::-1]] == [
        (first, 1, False),
        (first, 2, False),
        (first, 3, True),
        (second, 1, False),
        (second, 2, True),
    ]
    done, known = (await world.ben.get("/work/history"))["docs"], await known_as(world.ben, first)
    assert [(each["task_id"], each["response"]["category"]) for each in done[::-1]][:3] == [
        (known, "cat"),
        (known, "cat"),
        (known, "dog"),
    ]
    check(await world.db.read(snapshot))


async def test_who_has_used_up_the_attempts_gets_nothing_until_a_manager_lets_them_begin_anew(world: World):
    name = await project(world)
    await batch(world, name, tasks=2)
    passed, failed = [await make_quality_task(world, "training") for _ in range(2)]
    await change_settings(world, training_attempts=2)
    for category in ("dog", "cat", "bird"):
        await answer(world.ben, category)
    assert await claim(world.ben) is None
    assert await world.ben.get("/work/queue") == {"waiting": 0, "projects": []}
    course = {"project": "Pets", "tasks": 2, "passed": 1, "left": 1, "state": "paused"}
    assert await world.ben.get("/work/training") == {"projects": [course]}
    assert await list_pauses(world) == [(world.ben.email, "tried a training task 2 times without passing it")]
    assert await claim(world.dee) is not None
    await lift_pause(world, world.ben)
    assert await world.ben.get("/work/training") == {"projects": [{**course, "state": "open"}]}
    assert [(await answer(world.ben, said))["task_id"] for said in ("cat", "dog")] == [failed, failed]
    assert (await world.ben.get("/work/training"))["projects"][0]["state"] == "passed"
    assert await claim_task(world.ben) not in (passed, failed)
    docs = (await world.ana.get("/quality/labelers", quality_task_ids=failed))["docs"]
    assert [each["attempt"] for each in docs] == [4, 3, 2, 1]
    check(await world.db.read(snapshot))


async def test_who_declines_training_declines_the_project(world: World):
    name = await project(world, people=(world.ben,))
    await batch(world, name)
    training = await make_quality_task(world, "training")
    given = await claim(world.ben)
    assert given is not None
    await world.ben.post(f"/work/{given['claim_id']}/skip")
    assert await claim(world.ben) is None
    assert await list_pauses(world) == [(world.ben.email, "declined a training task")]
    await lift_pause(world, world.ben)
    assert await claim_task(world.ben) == training


async def test_who_is_assigned_anew_begins_anew(world: World):
    name = await project(world, people=(world.ben,))
    training = await make_quality_task(world, "training")
    await change_settings(world, training_attempts=1)
    await answer(world.ben, "cat")
    body = {"emails": [world.ben.email], "projects": [name]}
    await world.ana.post("/studio/assignments/remove", body)
    world.clock.forward(minutes=1)
    await world.ana.post("/studio/assignments/add", body)
    assert await claim_task(world.ben) == training


async def test_the_same_submission_again_is_answered_the_same_though_the_task_comes_again(world: World):
    await project(world, people=(world.ben,))
    training = await make_quality_task(world, "training")
    given = await claim(world.ben)
    assert given is not None
    path = f"/work/{given['claim_id']}/submit"
    wrong = {"response": {"category": "cat"}}
    both = await asyncio.gather(*(world.ben.call("POST", path, wrong) for _ in range(8)))
    assert {(each.status_code, each.text) for each in both} == {(200, both[0].text)}
    assert await claim_task(world.ben) == training
    assert (await world.ben.post(path, wrong)) == both[0].json()
    await world.ben.refused(409, "POST", path, {"response": {"category": "dog"}})
    docs = (await world.ana.get("/quality/labelers", quality_task_ids=training))["docs"]
    assert [each["attempt"] for each in docs] == [1]
    check(await world.db.read(snapshot))


async def test_feedback_shows_what_was_expected(world: World):
    name = await project(world, people=(world.ben,))
    training = await make_quality_task(world, "training")
    await batch(world, name)
    wrong, right, real = [await claim_and_answer(world, category) for category in ("cat", "dog", "cat")]
    shown = {"task_id": await known_as(world.ben, training), "expected_response": {"category": "dog"}}
    assert await world.ben.get(f"/work/{wrong}/feedback") == {
        **shown,
        "claim_id": wrong,
        "score": 0.0,
        "passed": False,
        "attempt": 1,
        "attempts_left": 1,
        "response": {"category": "cat"},
    }
    assert await world.ben.get(f"/work/{right}/feedback") == {
        **shown,
        "claim_id": right,
        "score": 1.0,
        "passed": True,
        "attempt": 2,
        "attempts_left": 0,
        "response": {"category": "dog"},
    }
    assert real in await world.ben.refused(404, "GET", f"/work/{real}/feedback")
    assert wrong in await world.dee.refused(404, "GET", f"/work/{wrong}/feedback")
    await change_settings(world, training_feedback=False)
    assert wrong in await world.ben.refused(404, "GET", f"/work/{wrong}/feedback")


async def claim_and_answer(world: World, category: str) -> str:
    """Ben's claim of what comes next, which he answers so; its id."""
    given = await claim(world.ben)
    assert given is not None
    await world.ben.post(f"/work/{given['claim_id']}/submit", {"response": {"category": category}})
    return given["claim_id"]


async def test_the_mark_of_the_parameters_goes_before_that_of_the_settings(world: World):
    await project(world, people=(world.ben,), params={"categories": CATEGORIES, "pass_mark": 0})
    await make_quality_task(world, "training")
    await change_settings(world, pass_mark=1)
    await answer(world.ben, "cat")
    await project(world, "Birds", people=(world.ben,))
    await make_quality_task(world, "training", "Birds")
    await change_settings(world, "Birds", pass_mark=0)
    await answer(world.ben, "cat")
    states = [each["state"] for each in (await world.ben.get("/work/training"))["projects"]]
    assert states == ["passed", "passed"]
