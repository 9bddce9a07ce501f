"""How tasks and batches end."""

import asyncio
from typing import Any

import pytest

from refonte_studio.kit.caller import Role
from refonte_studio.tasks.service import completion
from tests import makers
from tests.tasks.makers import batch_status, plain_project
from tests.world import Person, World


async def labelers(world: World, count: int, project: str = "Pets") -> list[Person]:
    """So many more labelers, assigned to the project."""
    people = [await world.person(f"labeler{number}", world.ana.team_id, Role.LABELER) for number in range(count)]
    emails = [person.email for person in people]
    await world.ana.post("/studio/assignments/add", {"emails": emails, "projects": [project]})
    return people


async def task(world: World, task_id: str) -> dict[str, Any]:
    return await world.ana.get(f"/task/{task_id}")


async def sent(world: World, **body: Any) -> dict[str, Any]:
    return await world.ana.post("/studio/projects/Pets/send_tasks_to_completed", body)


async def test_one_attempt_completes_a_standard_task_and_the_last_task_its_batch(world: World) -> None:
    await makers.project(world)
    first, second = await makers.batch(world, "Pets", tasks=2)
    world.clock.forward(minutes=1)
    await makers.answer(world.ben, "dog")
    done = await task(world, first)
    assert (done["status"], done["response"]) == ("completed", {"category": "dog"})
    assert done["completed_at"] == done["updated_at"] > done["created_at"]
    assert (await batch_status(world, "Monday"))["status"] == "in_progress"
    await makers.answer(world.dee)
    assert (await task(world, second))["status"] == "completed"
    status = await batch_status(world, "Monday")
    assert (status["status"], status["completed"]) == ("completed", 2)


async def test_a_consensus_task_takes_the_majority_of_its_attempts(world: World) -> None:
    await makers.project(world, wanted=3, people=())
    [only] = await makers.batch(world, "Pets")
    one, two, three = await labelers(world, 3)
    await makers.answer(one, "cat")
    await makers.answer(two, "dog")
    assert (await task(world, only))["status"] == "pending"
    await makers.answer(three, "dog")
    assert (await task(world, only))["response"] == {"category": "dog"}


async def test_a_batch_completes_once_however_many_of_its_last_tasks_end_at_the_same_time(world: World) -> None:
    await makers.project(world, people=())
    people = await labelers(world, 10)
    for name in ("Monday", "Tuesday", "Friday"):
        await makers.batch(world, "Pets", name, tasks=10)
        await asyncio.gather(*[makers.answer(person) for person in people])
        status = await batch_status(world, name)
        assert (status["status"], status["completed"]) == ("completed", 10)


async def test_a_batch_with_more_pending_tasks_than_can_end_at_once_is_left_unlocked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion, "AT_ONCE", 2)
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=6)
    for _ in range(5):
        await makers.answer(world.ben)
        assert (await batch_status(world, "Monday"))["status"] == "in_progress"
    await makers.answer(world.ben)
    assert (await batch_status(world, "Monday"))["status"] == "completed"


async def test_a_batch_that_was_left_open_is_completed_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a transaction that stood still while very many others ended the rest of its batch."""
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=2)

    async def stand_still(*_: object) -> None:
        """Settles nothing, as if others had more to end."""

    with monkeypatch.context() as patched:
        patched.setattr(completion, "settle", stand_still)
        await makers.answer(world.ben)
        await makers.answer(world.ben)
    assert (await batch_status(world, "Monday"))["status"] == "in_progress"
    assert await world.db.write(completion.settle_late, world.clock()) == 1
    assert (await batch_status(world, "Monday"))["status"] == "completed"
    assert await world.db.write(completion.settle_late, world.clock()) == 0


# ------------------------------------------------------------------------------ send_tasks_to_completed


async def test_tasks_with_an_attempt_are_sent_to_completion_and_others_stay(world: World) -> None:
    await makers.project(world, wanted=3)
    first, second, third = await makers.batch(world, "Pets", tasks=3)
    [other] = await makers.batch(world, "Pets", "Tuesday")
    await makers.answer(world.ben, "cat")
    await makers.answer(world.ben, "bird")
    await makers.answer(world.dee, "dog")
    assert await sent(world, batches=["Monday"]) == {
        "project": "Pets",
        "completed": 2,
        "batches": [{"name": "Monday", "completed": 2, "pending": 1}],
    }
    assert (await task(world, first))["response"] == {"category": "cat"}, "of a tie, what came first"
    assert (await task(world, second))["response"] == {"category": "bird"}
    assert [(await task(world, each))["status"] for each in (third, other)] == ["pending", "pending"]
    assert (await sent(world, batches=["Monday"]))["completed"] == 0
    status = await batch_status(world, "Monday")
    assert (status["status"], status["completed"], status["pending"]) == ("in_progress", 2, 1)


async def test_all_batches_wins_over_batches_and_completes_those_with_nothing_left(world: World) -> None:
    await makers.project(world, wanted=2)
    await makers.batch(world, "Pets", "Monday")
    await makers.batch(world, "Pets", "Tuesday")
    await makers.answer(world.ben)
    await makers.answer(world.ben)
    answer = await sent(world, all_batches=True, batches=["Nothing of the kind"])
    assert answer["completed"] == 2
    assert sorted(batch["name"] for batch in answer["batches"]) == ["Monday", "Tuesday"]
    assert (await batch_status(world, "Monday"))["status"] == "completed"
    assert (await world.ana.get("/studio/batches")) == []


async def test_a_claim_held_on_a_task_that_was_sent_ends(world: World) -> None:
    await makers.project(world, wanted=2)
    await makers.batch(world, "Pets")
    await makers.answer(world.ben)
    held = await makers.claim(world.dee)
    assert held is not None
    await sent(world, all_batches=True)
    await world.dee.refused(409, "POST", f"/work/{held['claim_id']}/submit", {"response": {"category": "dog"}})


async def test_sending_works_by_get_too_and_says_that_this_is_deprecated(world: World) -> None:
    await makers.project(world, wanted=2)
    await makers.batch(world, "Pets", "One, two")
    await makers.answer(world.ben)
    response = await world.ana.call(
        "GET", "/studio/projects/Pets/send_tasks_to_completed", params={"batches[]": "One, two"}
    )
    assert response.json()["completed"] == 1
    assert response.headers["Deprecation"]
    assert "successor-version" in response.headers["Link"]
    response = await world.ana.call("POST", "/studio/projects/Pets/send_tasks_to_completed?all_batches=true")
    assert response.json()["completed"] == 0
    assert "Deprecation" not in response.headers


async def test_what_cannot_be_sent(world: World) -> None:
    await makers.project(world)
    await plain_project(world)
    await world.ana.post("/batches", {"project": "Album", "name": "Theirs"})
    path = "/studio/projects/Pets/send_tasks_to_completed"
    assert "'Never'" in await world.ana.refused(400, "POST", path, {"batches": ["Never"]})
    assert "'Theirs'" in await world.ana.refused(400, "POST", path, {"batches": ["Theirs"]})
    await world.ana.refused(400, "POST", path)
    await world.ana.refused(400, "POST", path, {"batches": []})
    await world.ana.refused(400, "POST", path, {"all_batches": False})
    await world.ana.refused(404, "POST", path.replace("Pets", "Nowhere"), {"colour": "red"})
    await world.ana.refused(404, "POST", path, {"all_batches": True}, mode="test")
    await world.cid.refused(404, "POST", path, {"all_batches": True})
    await world.ben.refused(403, "POST", path, {"all_batches": True})


async def test_many_tasks_are_sent_in_chunks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "CHUNK", 2)
    await makers.project(world, wanted=2)
    await makers.batch(world, "Pets", tasks=5)
    for _ in range(5):
        await makers.answer(world.ben)
    assert (await sent(world, batches=["Monday"]))["completed"] == 5


# ----------------------------------------------------------------------------------- updatePipelineConfig


async def updated(world: World, **body: Any) -> dict[str, Any]:
    return await world.ana.post("/projects/Pets/updatePipelineConfig", body)


async def test_open_tasks_follow_a_change_of_pipeline_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "CHUNK", 2)
    await makers.project(world, wanted=3)
    made = await makers.batch(world, "Pets", tasks=4)
    for _ in range(3):
        await makers.answer(world.ben, "dog")
    world.clock.forward(minutes=5)
    project = await updated(world, pipeline="standard_task")
    assert project["pipeline"] == "standard_task"
    assert "consensus_attempts" not in project
    assert [(await task(world, each))["status"] for each in made] == ["completed"] * 3 + ["pending"]
    assert (await makers.answer(world.dee))["attempts_wanted"] == 1
    assert (await batch_status(world, "Monday"))["status"] == "completed"


async def test_more_attempts_open_more_places(world: World) -> None:
    await makers.project(world)
    await makers.batch(world, "Pets")
    held = await makers.claim(world.ben)
    assert held is not None
    assert await makers.claim(world.dee) is None
    project = await updated(world, pipeline="consensus_task", consensus_attempts=2)
    assert (project["pipeline"], project["consensus_attempts"]) == ("consensus_task", 2)
    assert (await makers.answer(world.dee))["status"] == "pending"
    last = await world.ben.post(f"/work/{held['claim_id']}/submit", {"response": {"category": "dog"}})
    known = await makers.known_as(world.ben, held["task"]["task_id"])
    assert last == {"task_id": known, "status": "completed", "attempts": 2, "attempts_wanted": 2}


async def test_consensus_without_a_number_keeps_the_present_one_or_three(world: World) -> None:
    await makers.project(world)
    assert (await updated(world, pipeline="consensus_task"))["consensus_attempts"] == 3
    assert (await updated(world, consensus_attempts=5))["consensus_attempts"] == 5
    await updated(world, pipeline="standard_task")
    assert (await updated(world, pipeline="consensus_task"))["consensus_attempts"] == 5


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("path", ["/projects", "/studio/projects"])
async def test_the_pipeline_is_set_under_both_paths_and_by_both_methods(world: World, method: str, path: str) -> None:
    await makers.project(world, "A/B & C")
    response = await world.ana.call(
        method, f"{path}/A%2FB%20%26%20C/updatePipelineConfig", params={"pipeline": "consensus_task"}
    )
    assert response.json()["pipeline"] == "consensus_task"


async def test_pipelines_that_cannot_be(world: World) -> None:
    await makers.project(world)
    await plain_project(world)
    path = "/projects/Pets/updatePipelineConfig"
    for body in (
        {"pipeline": "magic"},
        {"pipeline": "consensus_task", "consensus_attempts": 1},
        {"pipeline": "consensus_task", "consensus_attempts": 16},
        {"pipeline": "standard_task", "consensus_attempts": 2},
        {},
    ):
        await world.ana.refused(400, "POST", path, body)
    error = await world.ana.refused(400, "POST", "/projects/Album/updatePipelineConfig", {"pipeline": "consensus_task"})
    assert "'Album'" in error
    await world.ana.refused(404, "POST", "/projects/Nowhere/updatePipelineConfig", {"pipeline": "magic"})
    await world.ben.refused(403, "POST", path, {"pipeline": "consensus_task"})
    assert (await world.ana.get("/projects/Pets"))["pipeline"] == "standard_task"


async def test_a_task_created_while_the_pipeline_changes_follows_the_change(world: World) -> None:
    await makers.project(world, wanted=2)
    await world.ana.post("/batches", {"project": "Pets", "name": "Monday"})
    creations = [makers.task(world, "Pets", "Monday") for _ in range(12)]
    change = world.ana.post("/projects/Pets/updatePipelineConfig", {"pipeline": "standard_task"})
    await asyncio.gather(*creations[:6], change, *creations[6:])
    await world.ana.post("/batches/Monday/finalize")
    for _ in range(12):
        assert (await makers.answer(world.ben))["status"] == "completed"
