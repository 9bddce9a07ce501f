"""Large responses are checked before their transaction, one at a time per person, and within limits."""

import asyncio
from typing import Any

import msgspec
import pytest

from refonte_studio.annotator_models.service import fitting_process
from refonte_studio.kit.fair_queue import BUDGET_S, WAITING_LIMIT, FairQueue
from refonte_studio.kit.job_processes import JobProcesses, JobTimedOut, Reply
from refonte_studio.tasks.model import CheckContext
from refonte_studio.tasks.service import check_process
from refonte_studio.tasks.service.response_checks import Checks, DoesNotFit, Fits, Message
from tests.drawings import ATTACHMENT, TYPE, boxes, drawn, drawn_batch
from tests.makers import answer, batch, claim, known_as, project, real_id
from tests.quality.makers import change_settings
from tests.world import Person, World

LARGE = 400  # boxes


async def held(person: Person) -> str:
    given = await claim(person)
    assert given is not None
    return f"/work/{given['claim_id']}/submit"


def check_by(world: World, run: Any) -> None:
    """Has the world's large responses checked by something else."""
    checks: Checks = world.checks
    checks.run = run


async def test_a_large_response_is_recorded_like_any_other(world: World):
    await drawn(world)
    (first,) = await drawn_batch(world)
    path, response = await held(world.ben), boxes(LARGE)
    done = await world.ben.post(path, {"response": response})
    assert done == {
        "task_id": await known_as(world.ben, first),
        "status": "completed",
        "attempts": 1,
        "attempts_wanted": 1,
    }
    made = await world.ana.get(f"/task/{first}")
    assert (made["status"], made["response"]) == ("completed", response)
    assert made["confidence"] is not None
    assert (await world.ana.get("/batches/Monday"))["status"] == "completed"


async def test_a_large_response_again_answers_the_same_and_another_one_is_refused(world: World):
    await drawn(world)
    await drawn_batch(world)
    path = await held(world.ben)
    first = await world.ben.post(path, {"response": boxes(LARGE)})
    assert await world.ben.post(path, {"response": boxes(LARGE)}) == first
    assert "another response" in await world.ben.refused(409, "POST", path, {"response": boxes(LARGE, shift=1)})
    assert "another response" in await world.ben.refused(409, "POST", path, {"response": boxes(1)})


async def test_a_large_response_that_does_not_fit_is_refused_and_the_claim_is_kept(world: World):
    await drawn(world)
    (first,) = await drawn_batch(world)
    path, response = await held(world.ben), boxes(LARGE)
    response["annotations"][-1]["label"] = "tree"
    error = await world.ben.refused(400, "POST", path, {"response": response})
    assert f"annotations[{LARGE - 1}]" in error
    assert "tree" in error
    assert (await world.ana.get(f"/task/{first}"))["status"] == "pending"
    assert (await world.ben.post(path, {"response": boxes(LARGE)}))["status"] == "completed"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"response": {"annotations": [%s]}' % (b"1," * 20_000), "not valid JSON"),
        (b'{"response": [%s1]}' % (b"1," * 20_000), "response"),
        (b'{"response": {"annotations": "%s"}}' % (b"\xff" * 20_000), "not valid JSON"),
        (b'{"response": {"annotations": %s}}' % (b"[" * 20_000 + b"]" * 20_000), "nested too deeply"),
        (b'{"response": {"annotations": [], "annotations": "%s"}}' % (b"x" * 20_000), "'annotations' twice"),
        (b'{"response": {"annotations": [{"a": 1, "a": 1}, "%s"]}}' % (b"x" * 20_000), "'a' twice"),
        (b'{"response": {}, "other": "%s"}' % (b"x" * 20_000), "'other'"),
        (b'{"answer": "%s"}' % (b"x" * 20_000), "'answer'"),
    ],
)
async def test_a_large_body_that_cannot_be_read_is_bad_input(world: World, body: bytes, said: str):
    await drawn(world)
    await drawn_batch(world)
    error = await world.ben.refused(400, "POST", await held(world.ben), content=body)
    assert said in error


async def test_the_order_of_errors_is_the_same_for_a_large_response(world: World):
    await drawn(world)
    await drawn_batch(world)
    path, bad = await held(world.ben), {"response": {"annotations": ["x" * 20_000]}}
    nobody = await world.http.post(f"/v1{path}", json=bad)
    assert nobody.status_code == 401
    await world.dee.refused(404, "POST", path, bad)
    await world.ben.refused(400, "POST", path, bad)
    world.clock.forward(minutes=31)
    assert "expired" in await world.ben.refused(409, "POST", path, bad)


async def test_the_transaction_only_records_what_was_checked(world: World):
    await drawn(world)
    (first,) = await drawn_batch(world)

    async def believes(_message: bytes) -> Reply:
        return Reply(msgspec.msgpack.encode(Fits('{"annotations":[]}', None, None)), 0.1)

    check_by(world, believes)
    await world.ben.post(await held(world.ben), {"response": boxes(LARGE, label="tree")})
    assert (await world.ana.get(f"/task/{first}"))["response"] == {"annotations": []}


async def test_what_is_asked_may_be_large_too(world: World):
    many = [f"a choice of many {n:020}" for n in range(8_000)]
    await project(world, params={"categories": many})
    await batch(world, "Pets")
    assert (await answer(world.ben, many[7]))["status"] == "completed"
    asked: list[bytes] = []

    async def counts(message: bytes) -> Reply:
        asked.append(message)
        return await check_process.here(message)

    await batch(world, "Pets", "Tuesday")
    check_by(world, counts)
    await answer(world.ben, many[7])
    assert len(asked) == 1


async def test_a_large_answer_in_training_is_scored(world: World):
    await drawn(world)
    await world.ana.post(
        "/training_tasks/imageannotation",
        {"project": "Streets", "attachment": "https://example.com/1.jpg", "expected_response": boxes(LARGE)},
    )
    await drawn_batch(world)
    await world.ben.post(await held(world.ben), {"response": boxes(LARGE)})
    (scored,) = (await world.ana.get("/quality/labelers", labeler_emails=world.ben.email))["docs"]
    assert (scored["score"], scored["passed"]) == (1.0, True)


async def test_a_response_that_takes_too_long_is_refused_saying_so(world: World):
    await drawn(world)
    await drawn_batch(world)

    async def never(_message: bytes) -> Reply:
        raise JobTimedOut

    check_by(world, never)
    error = await world.ben.refused(400, "POST", await held(world.ben), {"response": boxes(LARGE)})
    assert "take more than 10 s to check" in error


async def test_who_keeps_sending_costly_responses_is_slowed_down_and_nobody_else(world: World):
    await drawn(world)
    await drawn_batch(world, tasks=2)

    async def costly(message: bytes) -> Reply:
        return Reply((await check_process.here(message)).content, BUDGET_S / 2)

    check_by(world, costly)
    bad, path = {"response": boxes(LARGE, label="tree")}, await held(world.ben)
    for _ in range(2):
        await world.ben.refused(400, "POST", path, bad)
    refused = await world.ben.call("POST", path, bad)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    assert "smaller" in refused.json()["error"]
    assert (await world.ben.post(path, {"response": boxes(1)}))["status"] == "completed"
    assert (await world.dee.post(await held(world.dee), {"response": boxes(LARGE)}))["status"] == "completed"
    world.clock.forward(seconds=3)
    assert "another response" in await world.ben.refused(409, "POST", path, {"response": boxes(LARGE)})


async def test_of_one_person_one_response_is_checked_at_a_time():
    queue, order, going = FairQueue(), [], asyncio.Event()

    async def waits(who: str, name: str) -> None:
        async with queue.turn(who):
            order.append(name)
            await going.wait()

    first = [asyncio.create_task(waits("ben", f"ben {n}")) for n in range(2)]
    other = asyncio.create_task(waits("dee", "dee"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert order == ["ben 0", "dee"]
    going.set()
    await asyncio.gather(*first, other)
    assert order == ["ben 0", "dee", "ben 1"]


async def test_few_requests_of_one_person_wait():
    queue, going = FairQueue(), asyncio.Event()

    async def waits() -> bool:
        async with queue.turn("ben"):
            await going.wait()
        return True

    tasks = [asyncio.create_task(waits()) for _ in range(WAITING_LIMIT + 3)]
    for _ in range(5):
        await asyncio.sleep(0)
    going.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(result is True for result in results) == WAITING_LIMIT + 1


async def test_the_process_apart_says_the_same_as_this_one(world: World):
    await drawn(world)
    (first,) = await drawn_batch(world)
    path = await held(world.ben)
    processes = JobProcesses("refonte_studio.tasks.service.check_process")
    check_by(world, processes)
    try:
        error = await world.ben.refused(400, "POST", path, {"response": boxes(LARGE, label="tree")})
        assert "annotations[0]" in error
        await world.ben.post(path, {"response": boxes(LARGE)})
    finally:
        await processes.close()
    assert (await world.ana.get(f"/task/{first}"))["response"] == boxes(LARGE)


async def test_attempts_too_large_to_be_judged_on_the_spot_are_judged_later(world: World):
    await drawn(world, wanted=2)
    (first,) = await drawn_batch(world)
    await world.ben.post(await held(world.ben), {"response": boxes(3_000)})
    await world.dee.post(await held(world.dee), {"response": boxes(1)})
    assert (await world.ana.get(f"/task/{first}"))["status"] == "pending"
    while await fitting_process.results_next(
        world.db, world.clock, lambda job: fitting_process.make_here(world.db, job)
    ):
        pass
    assert (await world.ana.get(f"/task/{first}"))["status"] == "completed"


@pytest.mark.parametrize("wanted", [1, 2])
async def test_how_long_a_large_response_takes_does_not_tell_the_kind_of_its_task(world: World, wanted: int):
    """The check takes as long as what it does: the time is that of the response, the known answer, and the result."""
    await drawn(world, wanted=wanted, people=(world.ben, world.dee))
    expected = {"attachment": ATTACHMENT, "expected_response": boxes(7)}
    made = await world.ana.post(f"/evaluation_tasks/{TYPE}", {"project": "Streets", **expected})
    await drawn_batch(world, tasks=4)
    await change_settings(world, "Streets", evaluation_rate=1)
    for _ in range(2):  # the evaluation task is not new
        await world.dee.post(await held(world.dee), {"response": boxes(1)})
    scores: list[float | None] = []

    async def works(message: bytes) -> Reply:
        asked = msgspec.msgpack.decode(message, type=Message).to_check
        world.clock.forward(seconds=1 + len(asked.expected or "") // 100 + 5 * (asked.alone is not None))
        reply = await check_process.here(message)
        fits = msgspec.msgpack.decode(reply.content, type=Fits | DoesNotFit)
        scores.append(fits.score if isinstance(fits, Fits) else None)
        return reply

    check_by(world, works)
    took: dict[bool, list[tuple[float, list[float]]]] = {}
    for _ in range(2):
        path = await held(world.ben)
        evaluates = await real_id(world, path.split("/")[2]) == made["id"]
        for label in ("tree", "car", "car"):
            world.waits.clear()
            began = world.clock()
            await world.ben.call("POST", path, {"response": boxes(LARGE, label=label)})
            took.setdefault(evaluates, []).append((world.clock() - began, list(world.waits)))
    assert set(took) == {True, False}, "one of each"
    assert took[True] == took[False]
    assert [waits for _, waits in took[True]] == [[0.05, 0.05]] * 3
    assert sum(score is not None for score in scores) == 2, "only the evaluation task's is told, twice"


async def test_a_known_answer_that_stands_in_may_be_of_a_task_that_asks_something_else():
    params = '{"geometries": {"box": {"objects_to_annotate": ["car"]}}}'
    for expected in (boxes(3), boxes(3, label="tree")):
        asked = CheckContext(
            task_id="t",
            type=TYPE,
            params=params,
            person="p",
            expected=msgspec.json.encode(expected).decode(),
            is_decoy=True,
        )
        message = Message("response", asked, msgspec.json.encode(boxes(2)))
        reply = msgspec.msgpack.decode(check_process.answer(msgspec.msgpack.encode(message)), type=Fits | DoesNotFit)
        assert isinstance(reply, Fits)
        assert reply.score is None
