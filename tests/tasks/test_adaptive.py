"""Adaptive consensus asks for attempts until the result is clear."""

from typing import Any

import pytest

from refonte_studio.kit.caller import Role
from tests import makers
from tests.tasks.makers import batch_status
from tests.world import Person, World


async def crowd(world: World, count: int, **settings: Any) -> list[Person]:
    """So many labelers on a project that asks two, and more until the target is reached, five at most."""
    people = [await world.person(f"labeler{number}", world.ana.team_id, Role.LABELER) for number in range(count)]
    await makers.project(world, people=tuple(people), wanted=5)
    await world.ana.post(
        "/projects/Pets/updatePipelineConfig", {"min_attempts": 2, "target_confidence": 0.75, **settings}
    )
    return people


async def test_a_clear_answer_is_asked_of_few_and_an_unclear_one_of_more(world: World):
    one, two, three, four, five = await crowd(world, 5)
    clear, unclear = await makers.batch(world, "Pets", tasks=2)
    for person, said in ((one, "dog"), (two, "cat")):
        await makers.answer(person, "cat")
        await makers.answer(person, said)
    done = await world.ana.get(f"/task/{clear}")
    assert (done["status"], done["response"], done["agreement"]) == ("completed", {"category": "cat"}, 1.0)
    assert done["confidence"] >= 0.75
    assert (await world.ana.get(f"/task/{unclear}"))["status"] == "pending"
    for person in (three, four, five):
        given = await makers.claim(person)
        assert given is not None
        assert given["task"]["task_id"] == unclear, "only what is unclear is asked of more"
        await person.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "dog"}})
        if (await world.ana.get(f"/task/{unclear}"))["status"] == "completed":
            break
    done = await world.ana.get(f"/task/{unclear}")
    assert (done["status"], done["response"]) == ("completed", {"category": "dog"})
    assert (await batch_status(world, "Monday"))["status"] == "completed"


async def test_it_ends_with_the_most_attempts_however_unclear(world: World):
    people = await crowd(world, 5, target_confidence=1.0)
    [only] = await makers.batch(world, "Pets")
    for number, person in enumerate(people):
        assert (await world.ana.get(f"/task/{only}"))["status"] == "pending"
        await makers.answer(person, makers.CATEGORIES[number % 3])
    assert (await world.ana.get(f"/task/{only}"))["status"] == "completed"


async def test_the_answer_to_a_submission_does_not_tell_whether_others_said_the_same(world: World):
    one, two = await crowd(world, 2)
    await makers.batch(world, "Pets", tasks=2)
    await makers.answer(one, "cat")
    await makers.answer(one, "cat")
    alike, different = await makers.answer(two, "cat"), await makers.answer(two, "dog")
    for told in (alike, different):
        told.pop("task_id")
    assert alike == different == {"status": "pending", "attempts": 2, "attempts_wanted": 5}


async def test_only_one_more_is_asked_at_a_time(world: World):
    one, two, three, four = await crowd(world, 4)
    await makers.batch(world, "Pets")
    await makers.answer(one, "cat")
    await makers.answer(two, "dog")
    assert await makers.claim(three) is not None
    assert await makers.claim(four) is None


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"min_attempts": 6}, "6"),
        ({"target_confidence": 1.5}, "1.5"),
        ({"min_attempts": 0}, "0"),
        ({"pipeline": "standard_task", "target_confidence": 0.9}, "0.9"),
    ],
)
async def test_what_does_not_fit_is_refused_and_changes_nothing(world: World, body: dict[str, Any], named: str):
    await crowd(world, 0)
    before = await world.ana.get("/projects/Pets")
    assert named in await world.ana.refused(400, "POST", "/projects/Pets/updatePipelineConfig", body)
    assert await world.ana.get("/projects/Pets") == before


@pytest.mark.parametrize(
    ("body", "settings"),
    [
        ({"consensus_attempts": 10, "target_confidence": 0.8}, (10, 4, 0.8)),
        ({"consensus_attempts": 4, "target_confidence": 0.8}, (4, 2, 0.8)),
        ({"consensus_attempts": 10, "min_attempts": 3}, (10, 3, 0.9)),
    ],
)
async def test_least_or_target_alone_brings_the_other(
    world: World, body: dict[str, Any], settings: tuple[int, int, float]
):
    await makers.project(world, wanted=5)
    found = await world.ana.post("/projects/Pets/updatePipelineConfig", body)
    assert (found["consensus_attempts"], found["min_attempts"], found["target_confidence"]) == settings


async def test_a_pipeline_of_one_attempt_leaves_the_settings_of_consensus_for_later(world: World):
    await crowd(world, 0)
    assert "min_attempts" not in await world.ana.post(
        "/projects/Pets/updatePipelineConfig", {"pipeline": "standard_task"}
    )
    again = await world.ana.post("/projects/Pets/updatePipelineConfig", {"pipeline": "consensus_task"})
    assert (again["consensus_attempts"], again["min_attempts"], again["target_confidence"]) == (5, 2, 0.75)


async def test_a_project_that_asks_on_no_more_takes_what_it_has(world: World):
    one, two = await crowd(world, 2)
    [only] = await makers.batch(world, "Pets")
    await makers.answer(one, "cat")
    await makers.answer(two, "dog")
    await world.ana.post("/projects/Pets/updatePipelineConfig", {"consensus_attempts": 2})
    assert (await world.ana.get(f"/task/{only}"))["status"] == "completed"
