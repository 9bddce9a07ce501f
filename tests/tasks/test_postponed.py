"""Expensive results are made in the background after the last attempt, exactly once, whatever happens."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from refonte_studio.aggregation import policy as aggregation_policy
from refonte_studio.annotator_models.service import fitting_process
from refonte_studio.config import Settings
from refonte_studio.db import Reads
from refonte_studio.invariants.service import audit
from refonte_studio.kit.caller import Role
from refonte_studio.main import AUTHENTICATOR
from refonte_studio.server import background
from refonte_studio.tasks.service import aggregating, background_results
from refonte_studio.tasks.service.background_results import BackgroundResult, ResultsJob
from refonte_studio.web import Studio
from tests.drawings import boxes, drawn, drawn_batch
from tests.invariants import check, snapshot
from tests.makers import answer, batch, claim, known_as, project
from tests.reviews import makers as reviewing
from tests.world import World


@pytest.fixture(autouse=True)
def _everything_is_costly(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (aggregation_policy, aggregating):
        monkeypatch.setattr(module, "INLINE_STEPS", 0)


async def sound(world: World) -> None:
    check(await world.db.read(snapshot))
    assert [finding for finding in await world.db.read(audit) if finding.count] == []


def here(world: World) -> fitting_process.Maker:
    return lambda job: fitting_process.make_here(world.db, job)


async def made(world: World, make: fitting_process.Maker | None = None) -> None:
    """All that is due is made."""
    while await fitting_process.results_next(world.db, world.clock, make or here(world)) is not None:
        pass


async def status(world: World, task_id: str) -> str:
    return (await world.ana.get(f"/task/{task_id}"))["status"]


async def two_say(world: World, one: str = "cat", other: str = "cat") -> None:
    await answer(world.ben, one)
    world.clock.forward(seconds=10)
    await answer(world.dee, other)
    world.clock.forward(seconds=10)


async def test_a_task_stays_pending_and_is_nobodys_until_its_result_is_made(world: World):
    name = await project(world, wanted=2, people=(world.ben, world.dee, world.max))
    (first,) = await batch(world, name, callback="https://example.com/hook")
    await two_say(world)
    assert await status(world, first) == "pending"
    assert await claim(world.max) is None
    assert (await world.ana.get("/batches/Monday"))["status"] == "in_progress"
    await sound(world)
    await made(world)
    task = await world.ana.get(f"/task/{first}")
    assert (task["status"], task["response"]) == ("completed", {"category": "cat"})
    assert (await world.ana.get("/batches/Monday"))["status"] == "completed"
    (shown,) = (await world.ana.get("/callbacks"))["docs"]
    assert shown["event"] == "batch.completed"
    await sound(world)


async def test_the_result_and_its_certainty_are_the_same_as_on_the_spot(world: World, monkeypatch: pytest.MonkeyPatch):
    await drawn(world, wanted=2)
    later, now = await drawn_batch(world, tasks=2)
    results = {}
    for task_id, steps in ((later, 0), (now, 1_000_000_000)):
        for module in (aggregation_policy, aggregating):
            monkeypatch.setattr(module, "INLINE_STEPS", steps)
        for person, shift in ((world.ben, 0), (world.dee, 1)):
            given = await claim(person)
            assert given is not None
            await person.post(f"/work/{given['claim_id']}/submit", {"response": boxes(5, shift)})
        assert await status(world, task_id) == ("pending" if task_id == later else "completed")
        await made(world)
        task = await world.ana.get(f"/task/{task_id}")
        results[task_id] = (task["status"], task["response"], task["confidence"], task["agreement"])
    assert results[later] == results[now]


async def test_a_task_of_its_own_process(world: World, database_url: str):
    name = await project(world, wanted=2)
    (first,) = await batch(world, name)
    await two_say(world)
    await made(world, fitting_process.Process(Settings(database=database_url)).make)
    assert await status(world, first) == "completed"


async def test_the_submission_answers_the_same_as_ever(world: World):
    name = await project(world, wanted=2)
    (first,) = await batch(world, name)
    await answer(world.ben)
    given = await claim(world.dee)
    assert given is not None
    path, body = f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}}
    done = await world.dee.post(path, body)
    task_id = await known_as(world.dee, first)
    assert done == {"task_id": task_id, "status": "completed", "attempts": 2, "attempts_wanted": 2}
    assert await world.dee.post(path, body) == done
    await made(world)
    assert await world.dee.post(path, body) == done


async def test_a_canceled_task_gets_no_result(world: World):
    name = await project(world, wanted=2)
    (first,) = await batch(world, name)
    await two_say(world)
    await world.ana.post(f"/task/{first}/cancel")
    await sound(world)
    await made(world)
    assert await status(world, first) == "canceled"
    await sound(world)


async def test_a_result_that_comes_after_the_end_changes_nothing(world: World):
    name = await project(world, wanted=2)
    (first,) = await batch(world, name)
    await two_say(world)

    @asynccontextmanager
    async def slow(job: ResultsJob) -> AsyncGenerator[AsyncIterator[BackgroundResult]]:
        found = [each async for each in fitting_process.results(world.db, job)]
        await world.ana.post(f"/task/{first}/cancel")
        yield _each(found)

    await made(world, slow)
    assert await status(world, first) == "canceled"
    await sound(world)


async def _each(found: list[BackgroundResult]) -> AsyncIterator[BackgroundResult]:
    for one in found:
        yield one


async def test_of_several_processes_one_makes_the_result_and_one_tells_of_it(world: World):
    name = await project(world, wanted=2)
    await batch(world, name, tasks=3, callback="https://example.com/hook")
    for _ in range(3):
        await two_say(world)
    made_by: list[str] = []

    @asynccontextmanager
    async def counted(job: ResultsJob) -> AsyncGenerator[AsyncIterator[BackgroundResult]]:
        made_by.extend(job.task_ids)
        async with fitting_process.make_here(world.db, job) as found:
            yield found

    await asyncio.gather(*(fitting_process.results_next(world.db, world.clock, counted) for _ in range(4)))
    assert len(made_by) == len(set(made_by)) == 3
    assert [shown["event"] for shown in (await world.ana.get("/callbacks"))["docs"]] == ["batch.completed"]
    await sound(world)


async def test_what_a_process_left_behind_is_taken_up_by_another(world: World):
    name = await project(world, wanted=2)
    (first,) = await batch(world, name)
    await two_say(world)
    assert (
        await world.db.write(background_results.take_next, "", world.clock()) is not None
    )  # and that process is killed
    await made(world)
    assert await status(world, first) == "pending"
    world.clock.forward(seconds=background_results.LEASE_MS / 1_000)
    await made(world)
    assert await status(world, first) == "completed"


async def test_a_process_that_was_thought_lost_gives_no_second_result(world: World):
    name = await project(world, wanted=2, people=(world.ben, world.dee))
    (first,) = await batch(world, name)
    await two_say(world)
    late = await world.db.write(background_results.take_next, "", world.clock())
    assert late is not None
    found = [each async for each in fitting_process.results(world.db, late)]
    world.clock.forward(seconds=background_results.LEASE_MS / 1_000)
    again = await world.db.write(background_results.take_next, "", world.clock())
    assert again is not None
    await world.db.write(background_results.keep, late, found[0], world.clock())
    assert await status(world, first) == "pending"
    await world.db.write(background_results.keep, again, found[0], world.clock())
    assert await status(world, first) == "completed"
    await sound(world)


async def test_a_result_that_fails_is_tried_again_after_pauses_that_grow_and_others_do_not_wait(world: World):
    name = await project(world, wanted=2)
    bad, good = await batch(world, name, tasks=2)
    for _ in range(2):
        await two_say(world)

    @asynccontextmanager
    async def crashes(job: ResultsJob) -> AsyncGenerator[AsyncIterator[BackgroundResult]]:
        yield _until(bad, world.db, job)

    with pytest.raises(fitting_process.FitFailed, match=bad):
        await made(world, crashes)
    await made(world, crashes)
    assert (await status(world, bad), await status(world, good)) == ("pending", "completed")
    world.clock.forward(seconds=1)
    with pytest.raises(fitting_process.FitFailed):
        await made(world, crashes)
    world.clock.forward(seconds=1)
    await made(world)
    assert await status(world, bad) == "pending"
    world.clock.forward(seconds=1)
    await made(world)
    assert await status(world, bad) == "completed"
    await sound(world)


async def _until(bad: str, db: Reads, job: ResultsJob) -> AsyncIterator[BackgroundResult]:
    async for each in fitting_process.results(db, job):
        if each.task_id == bad:
            return
        yield each


async def test_no_team_waits_for_all_of_anothers(world: World):
    name = await project(world, wanted=2)
    await batch(world, name)
    await two_say(world)
    first = await world.db.write(background_results.take_next, "", world.clock())
    assert first is not None
    assert first.team_id == world.ben.team_id
    await world.db.write(background_results.put_off, first, None, first.task_ids, world.clock())
    other = await project(world, "Theirs", (world.cid,), by=world.cid, wanted=2)
    await world.cid.post("/batches", {"project": other, "name": "Cids"})
    await world.cid.post("/task/categorization", {"project": other, "batch": "Cids", "attachment": "x"})
    await world.cid.post("/batches/Cids/finalize")
    eve = await world.person("eve", world.cid.team_id, Role.LABELER)
    await world.cid.post("/studio/assignments/add", {"emails": [eve.email], "projects": [other]})
    await answer(world.cid)
    await answer(eve)
    second = await world.db.write(background_results.take_next, first.team_id, world.clock())
    assert second is not None
    assert second.team_id == world.cid.team_id


async def test_tasks_sent_to_completion_complete_when_their_result_is_made_whatever_it_is(world: World):
    name = await reviewing.project(world, wanted=3)
    await world.ana.post("/studio/assignments/add", {"emails": [world.mia.email], "projects": [name]})
    first, second = await batch(world, name, tasks=2)
    await two_say(world, "cat", "dog")
    await answer(world.ben)
    sent = await world.ana.post(f"/studio/projects/{name}/send_tasks_to_completed", {"all_batches": True})
    assert sent["completed"] == 1, "one attempt is its own result"
    assert (await status(world, first), await status(world, second)) == ("pending", "completed")
    assert await claim(world.mia) is None
    await sound(world)
    await world.ana.post(f"/studio/projects/{name}/send_tasks_to_completed", {"all_batches": True})
    await made(world)
    assert await status(world, first) == "completed"
    assert await reviewing.claim(world.mia) is None
    assert (await world.ana.get("/batches/Monday"))["status"] == "completed"
    await sound(world)


async def test_a_task_whose_result_is_being_made_may_be_sent_to_completion(world: World):
    name = await reviewing.project(world, wanted=2)
    (first,) = await batch(world, name)
    await two_say(world)
    await world.ana.post(f"/studio/projects/{name}/send_tasks_to_completed", {"all_batches": True})
    await made(world)
    assert await status(world, first) == "completed"
    await sound(world)


async def test_a_task_under_review_that_is_sent_to_completion_leaves_its_review(world: World):
    name = await reviewing.project(world, wanted=2)
    (first,) = await batch(world, name)
    await two_say(world)
    await made(world)
    given = await reviewing.claim(world.mia)
    assert given is not None
    await world.ana.post(f"/studio/projects/{name}/send_tasks_to_completed", {"all_batches": True})
    await sound(world)
    await world.mia.refused(409, "POST", f"/reviews/{given['review_id']}/accept", {})
    await made(world)
    assert await status(world, first) == "completed"
    await sound(world)


async def test_a_review_is_due_when_the_result_is_made(world: World):
    name = await reviewing.project(world, wanted=2)
    (first,) = await batch(world, name)
    await two_say(world)
    assert await reviewing.claim(world.mia) is None
    await made(world)
    await sound(world)
    given = await reviewing.claim(world.mia)
    assert given is not None
    assert given["response"] == {"category": "cat"}
    await world.mia.post(f"/reviews/{given['review_id']}/accept", {})
    assert await status(world, first) == "completed"
    await sound(world)


async def test_one_more_is_asked_when_the_result_is_made_and_not_clear(world: World):
    name = await project(world, wanted=3, people=(world.ben, world.dee, world.max))
    await world.ana.post(f"/projects/{name}/quality", {"min_attempts": 2, "target_confidence": 0.99})
    (first,) = await batch(world, name)
    await two_say(world, "cat", "dog")
    assert await claim(world.max) is None
    await made(world)
    await sound(world)
    assert (await answer(world.max))["status"] == "completed"
    await made(world)
    assert await status(world, first) == "completed"
    await sound(world)


async def test_a_change_of_pipeline_leaves_tasks_alone_whose_result_is_being_made(world: World):
    name = await project(world, wanted=2)
    (first,) = await batch(world, name)
    await two_say(world)
    for attempts in (3, 2):
        body = {"pipeline": "consensus_task", "consensus_attempts": attempts}
        await world.ana.post(f"/studio/projects/{name}/updatePipelineConfig", body)
        assert await status(world, first) == "pending"
        await sound(world)
    await made(world)
    assert await status(world, first) == "completed"
    await sound(world)


async def test_a_change_of_pipeline_postpones_what_has_enough_attempts(world: World):
    name = await project(world, wanted=3, people=(world.ben, world.dee, world.max))
    (first,) = await batch(world, name)
    await two_say(world)
    given = await claim(world.max)
    assert given is not None
    body = {"pipeline": "consensus_task", "consensus_attempts": 2}
    await world.ana.post(f"/studio/projects/{name}/updatePipelineConfig", body)
    await sound(world)
    await world.max.refused(409, "POST", f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}})
    await made(world)
    assert await status(world, first) == "completed"
    await sound(world)


async def test_imported_attempts_are_judged_in_the_background_too(world: World):
    name = await project(world, wanted=2)
    attempts = [{"labeler": who, "response": {"category": "cat"}} for who in ("x", "y")]
    line = {"project": name, "attachment": "x", "attempts": attempts}
    content = b"\n".join(msgspec.json.encode(line) for _ in range(3))
    await world.ana.post("/batches", {"project": name, "name": "Monday"})
    response = await world.ana.call("POST", "/tasks/import", params={"batch": "Monday"}, content=content)
    assert response.json() == {"created": 3}
    await world.ana.post("/batches/Monday/finalize")
    await sound(world)
    await made(world)
    assert (await world.ana.get("/batches/Monday"))["status"] == "completed"
    await sound(world)


async def test_the_background_makes_what_is_due(world: World):
    name = await project(world, wanted=2)
    (first,) = await batch(world, name)
    await two_say(world)
    studio = Studio(world.db, world.settings, world.clock, AUTHENTICATOR)
    await background.make_results(studio, here(world))
    assert await status(world, first) == "completed"
