"""Annotator models are fitted again from people's responses, and results follow from them."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec
import pytest

from refonte_studio.annotator_models.model import FitJob
from refonte_studio.annotator_models.service import fitting_process
from refonte_studio.config import Settings
from refonte_studio.kit.caller import Role
from tests import makers
from tests.world import Person, World

TRUTH = [makers.CATEGORIES[number % 3] for number in range(12)]


async def crowd(world: World, method: str | None = None, **task: str) -> tuple[dict[str, list[str]], dict[str, Person]]:
    """Three good labelers and two who always say cat, on four batches of twelve tasks; the tasks of each batch, and
    the people.

    Of the last batch's three attempts, two say cat whatever is right.
    """
    names = ("good1", "good2", "good3", "lazy1", "lazy2")
    people = {name: await world.person(name, world.ana.team_id, Role.LABELER) for name in names}
    await makers.project(world, people=tuple(people.values()), wanted=3)
    if method is not None:
        await world.ana.post("/projects/Pets/quality", {"consensus_method": method})
    tasks: dict[str, list[str]] = {}
    for batch in ("good1 good2 good3", "good1 good2 lazy1", "good2 good3 lazy2", "lazy1 lazy2 good1"):
        await world.ana.post("/batches", {"project": "Pets", "name": batch})
        tasks[batch] = [await makers.task(world, "Pets", batch, **task) for _ in TRUTH]
        await world.ana.post(f"/batches/{batch}/finalize")
        emails = [people[name].email for name in batch.split()]
        await world.ana.post("/studio/projects/Pets/groups", {"name": batch, "emails": emails})
        await world.ana.post(f"/studio/batches/{batch}", {"groups": [batch]})
        for name in batch.split():
            for right in TRUTH:
                await makers.answer(people[name], right if name.startswith("good") else "cat", batch=batch)
    return tasks, people


def here(world: World) -> fitting_process.Finder:
    def find(job: FitJob) -> AbstractAsyncContextManager[Any]:
        return fitting_process.here(world.db, job)

    return find


async def estimated(world: World, find: fitting_process.Finder | None = None) -> int:
    return await fitting_process.fit_next(world.db, world.clock, find or here(world))


async def said(person: Person, task_ids: list[str]) -> list[str]:
    return [(await person.get(f"/task/{task_id}"))["response"]["category"] for task_id in task_ids]


LAZY = "lazy1 lazy2 good1"


async def test_who_answers_carelessly_is_found_out_and_outvoted_by_one_who_does_not(world: World):
    tasks, _ = await crowd(world)
    assert await said(world.ana, tasks[LAZY]) == ["cat"] * 12, "nothing is known of anybody yet"
    assert await estimated(world) == 1
    assert await said(world.ana, tasks[LAZY]) == TRUTH
    known = (await world.ana.get("/projects/Pets/consensus/labelers"))["docs"]
    accuracy = {one["labeler_email"][:4]: one["questions"][0]["accuracy"] for one in known}
    assert accuracy["lazy"] < 0.6 < 0.8 < accuracy["good"]
    found = await world.ana.get("/projects/Pets/consensus")
    question = next(one for one in found["questions"] if one["question"] == "category")
    assert (found["attempts"], question["tasks"], found["waiting"]) == (144, 48, False)
    assert 0.3 < question["alpha"] < 0.7
    assert await estimated(world) == 0, "there is nothing new"


async def test_results_are_surer_the_more_the_attempts_agree(world: World):
    tasks, _ = await crowd(world)
    await estimated(world)
    alike = await world.ana.get(f"/task/{tasks['good1 good2 good3'][1]}")
    apart = await world.ana.get(f"/task/{tasks[LAZY][1]}")
    assert alike["agreement"] == 1.0 > apart["agreement"] > 0.3
    assert 1.0 >= alike["confidence"] > apart["confidence"] > 0.3


async def test_another_method_gives_the_results_anew_and_callbacks_tell(world: World):
    tasks, _ = await crowd(world, "majority")
    await estimated(world)
    assert await said(world.ana, tasks[LAZY]) == ["cat"] * 12
    await world.ana.post("/projects/Pets/quality", {"consensus_method": "dawid_skene"})
    assert (await world.ana.get("/projects/Pets/consensus"))["waiting"] is True
    assert await estimated(world) == 1
    assert await said(world.ana, tasks[LAZY]) == TRUTH


async def test_a_callback_tells_of_another_response(world: World):
    await crowd(world, callback_url="https://example.com/told")
    await estimated(world)
    events = [each["event"] for each in (await world.ana.get("/callbacks"))["docs"]]
    assert events.count("task.changed") == sum(right != "cat" for right in TRUTH)


async def test_what_a_person_has_decided_is_left_alone_and_teaches(world: World):
    tasks, _ = await crowd(world)
    wrong = tasks[LAZY][1]
    await world.ana.post(f"/task/{wrong}/audit", {"accepted": True})
    await estimated(world)
    assert await said(world.ana, [wrong]) == ["cat"]


async def test_a_process_of_its_own_finds_the_same(world: World, database_url: str):
    tasks, _ = await crowd(world)
    assert await estimated(world, fitting_process.Process(Settings(database=database_url)).find) == 1
    assert await said(world.ana, tasks[LAZY]) == TRUTH


async def test_what_is_known_of_people_counts_at_once_when_the_next_task_has_its_attempts(world: World):
    _, people = await crowd(world)
    await estimated(world)
    await world.ana.post("/batches", {"project": "Pets", "name": "Big"})
    line = b'{"type": "categorization", "project": "Pets", "batch": "Big", "attachment": "https://example.com/1.jpg"}'
    made = await world.ana.call("POST", "/tasks/import", content=b"\n".join([line] * 140))
    assert made.status_code == 200, made.text
    await world.ana.post("/batches/Big/finalize")
    for name, said in (("lazy1", "cat"), ("lazy2", "cat"), ("good1", "dog")):
        done = await makers.answer(people[name], said)
    assert done["status"] == "completed"
    task = await world.ana.get(f"/task/{done['task_id']}")
    assert task["response"] == {"category": "dog"}
    assert 0.5 < task["confidence"] < 1.0


async def test_a_task_that_is_clear_by_now_is_asked_of_nobody_else_unless_somebody_has_it(world: World):
    _, people = await crowd(world)
    await world.ana.post("/projects/Pets/updatePipelineConfig", {"min_attempts": 2, "target_confidence": 0.6})
    free, held = await makers.batch(world, "Pets", "New", tasks=2)
    for name, said in (("lazy1", "cat"), ("good1", "dog")):
        await makers.answer(people[name], said)
        await makers.answer(people[name], said)
    given = await makers.claim(people["good2"])
    assert given is not None
    assert given["task"]["task_id"] == free, "the oldest comes first"
    await people["good2"].post(f"/work/{given['claim_id']}/skip", {})
    assert await makers.claim_task(people["good2"]) == held
    await estimated(world)
    assert (await world.ana.get(f"/task/{free}"))["response"] == {"category": "dog"}
    assert (await world.ana.get(f"/task/{held}"))["status"] == "pending"


async def test_of_very_many_people_and_questions_all_is_kept(world: World):
    """More than is written at once."""
    fields = [{"field_id": name, "type": "boolean"} for name in ("tail", "fur", "ears")]
    await world.ana.post("/projects", {"name": "Animals", "type": "datacollection", "params": {"fields": fields}})
    answer = {"fields": {"tail": True, "fur": True, "ears": True}}
    lines = [
        {
            "type": "datacollection",
            "project": "Animals",
            "attachment": f"https://example.com/{part}.jpg",
            "attempts": [{"labeler": f"worker {part} {number}", "response": answer} for number in range(75)],
        }
        for part in range(4)
    ]
    body = b"\n".join(msgspec.json.encode(line) for line in lines)
    made = await world.ana.call("POST", "/tasks/import", content=body)
    assert made.status_code == 200, made.text
    await estimated(world)
    known, token = [], None
    while True:
        page = await world.ana.get("/projects/Animals/consensus/labelers", **({"next_token": token} if token else {}))
        known += page["docs"]
        token = page.get("next_token")
        if token is None:
            break
    assert [len(person["questions"]) for person in known] == [3] * 300


async def test_what_was_not_found_out_is_tried_again_after_a_pause(world: World):
    await crowd(world)

    @asynccontextmanager
    async def broken(job: FitJob) -> AsyncGenerator[Any]:
        async def nothing() -> AsyncGenerator[Any]:
            for finding in ():
                yield finding

        yield nothing()

    with pytest.raises(fitting_process.FitFailed):
        await estimated(world, broken)
    assert await estimated(world) == 0
    world.clock.forward(minutes=2)
    assert await estimated(world) == 1


async def test_a_rejected_attempt_is_no_news_for_ever(world: World):
    _, people = await crowd(world)
    await world.ana.post("/projects/Pets/quality", {"review_levels": 1})
    await world.ana.post("/projects/Pets/reviewers/add", {"emails": [world.mia.email]})
    await makers.batch(world, "Pets", "New")
    for name in ("good1", "good2", "good3"):
        await makers.answer(people[name], "dog")
    review = await world.mia.post("/reviews/claim")
    await world.mia.post(f"/reviews/{review['review_id']}/reject", {"comments": "No."})
    assert await estimated(world) == 1
    world.clock.forward(hours=1)
    assert await estimated(world) == 0
