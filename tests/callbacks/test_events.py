"""Every event reaches its receiver."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from refonte_studio.annotator_models.model import FitJob, FittedResult
from refonte_studio.annotator_models.service import refitting
from refonte_studio.callbacks.model import CallbackEvent
from refonte_studio.db import Tx
from refonte_studio.projects import service as projects
from refonte_studio.quality.service import standings
from tests import makers
from tests.callbacks.conftest import PostOffice
from tests.callbacks.receiver import Letter, Receiver
from tests.world import World

Cause = Callable[[World, str], Awaitable[str]]
"""Has the event happen, where the callback goes to this URL; answers the id of what it tells of."""


async def answered(world: World, url: str) -> str:
    await makers.project(world)
    task = await makers.task(world, "Pets", callback_url=url)
    await makers.answer(world.ben)
    return task


async def canceled(world: World, url: str) -> str:
    await makers.project(world)
    task = await makers.task(world, "Pets", callback_url=url)
    await world.ana.post(f"/task/{task}/cancel")
    return task


async def changed(world: World, url: str) -> str:
    task = await answered(world, url)

    async def estimate(tx: Tx) -> int:
        project = await projects.find(tx, world.ana.team_id, "live", "Pets")
        job = FitJob(project.team_id, "live", project.id, "majority", None, 0)
        found = [FittedResult(task, '{"category":"bird"}', 0.9, 1.0, 1)]
        return await refitting.keep_results(tx, job, found, world.clock())

    assert await world.db.write(estimate) == 1
    return task


async def audited(world: World, url: str) -> str:
    task = await answered(world, url)
    await world.ana.post(f"/task/{task}/audit", {"accepted": False, "comments": "no"})
    return task


async def resent(world: World, url: str) -> str:
    task = await answered(world, url)
    await world.ana.post(f"/task/{task}/send_callback")
    return task


async def batch_completed(world: World, url: str) -> str:
    await makers.project(world)
    await makers.batch(world, "Pets", callback=url)
    await makers.answer(world.ben)
    return (await world.ana.get("/batches/Monday"))["id"]


async def paused(world: World, _url: str) -> str:
    await makers.project(world)

    async def pause(tx: Tx) -> str:
        project = await projects.find(tx, world.ana.team_id, "live", "Pets")
        await standings.pause(tx, project, world.ben.id, "too few right", world.clock())
        return f"{world.ben.id}.{project.id}"

    return await world.db.write(pause)


CAUSES: dict[CallbackEvent, Cause] = {
    CallbackEvent.TASK_COMPLETED: answered,
    CallbackEvent.TASK_CANCELED: canceled,
    CallbackEvent.TASK_CHANGED: changed,
    CallbackEvent.TASK_AUDITED: audited,
    CallbackEvent.TASK_RESENT: resent,
    CallbackEvent.BATCH_COMPLETED: batch_completed,
    CallbackEvent.LABELER_PAUSED: paused,
}


@pytest.mark.parametrize("event", CallbackEvent)
async def test_an_event_reaches_its_receiver(
    world: World, receiver: Receiver, post_office: PostOffice, event: CallbackEvent
) -> None:
    subject = await CAUSES[event](world, receiver.url)
    await post_office.deliver()
    docs = (await world.ana.get("/callbacks"))["docs"]
    of_event = [each for each in docs if each["event"] == event.value]
    assert of_event, docs
    assert {(each["state"], each["tries"], each["subject_id"]) for each in of_event} == {("delivered", 1, subject)}
    got = [_subject(letter) for letter in receiver.letters]
    assert len(got) + len(post_office.mails) == len(docs)
    if event is not CallbackEvent.LABELER_PAUSED:  # it goes by mail
        assert set(got) == {subject}


def _subject(letter: Letter) -> Any:
    told = letter.json
    return told["batch"]["id"] if "batch" in told else told["task_id"]


async def test_a_changed_task_is_told_with_its_new_response(
    world: World, receiver: Receiver, post_office: PostOffice
) -> None:
    await changed(world, receiver.url)
    await post_office.deliver()
    assert receiver.letters[-1].json["response"] == {"category": "bird"}


async def test_an_audited_task_is_told_with_what_the_audit_made_of_it(
    world: World, receiver: Receiver, post_office: PostOffice
) -> None:
    task = await answered(world, receiver.url)
    await post_office.deliver()
    for said, status in (
        ({"accepted": True}, "accepted"),
        ({"accepted": False, "comments": "a bird"}, "rejected"),
        ({"accepted": True, "response": {"category": "bird"}}, "fixed"),
    ):
        await world.ana.post(f"/task/{task}/audit", said)
        assert await post_office.deliver() == 1, "one callback for one audit"
        told = receiver.letters[-1].json
        assert told["status"] == "completed"
        assert told["task"]["customer_review_status"] == status
    assert told["response"] == told["task"]["response"] == {"category": "bird"}
    assert [audit["accepted"] for audit in told["task"]["audits"]] == [True, False, True]
    assert told["task"]["audits"][1]["comments"] == "a bird"


async def test_an_audit_of_a_task_without_a_callback_url_is_not_told(world: World, post_office: PostOffice) -> None:
    await makers.project(world)
    task = await makers.task(world, "Pets")
    await makers.answer(world.ben)
    await world.ana.post(f"/task/{task}/audit", {"accepted": True})
    assert await post_office.deliver() == 0


@pytest.mark.parametrize("spelling", ["send_callback", "send-callback"])
async def test_a_callback_is_sent_once_more_on_demand(
    world: World, receiver: Receiver, post_office: PostOffice, spelling: str
) -> None:
    task = await answered(world, receiver.url)
    await post_office.deliver()
    shown = await world.mia.post(f"/task/{task}/{spelling}")
    assert shown == await world.ana.get(f"/task/{task}")
    assert await post_office.deliver() == 1
    first, second = receiver.letters
    assert second.json["task"] == shown
    assert second.json["response"] == first.json["response"]
    assert first.headers["webhook-id"] != second.headers["webhook-id"], "so that nobody takes it for the first"


async def test_a_callback_that_makes_no_sense_is_not_sent_on_demand(world: World) -> None:
    await makers.project(world)
    silent = await makers.task(world, "Pets")
    await makers.answer(world.ben)
    pending = await makers.task(world, "Pets", callback_url="https://example.com/hook")
    assert "callback_url" in await world.ana.refused(400, "POST", f"/task/{silent}/send_callback")
    assert "pending" in await world.ana.refused(400, "POST", f"/task/{pending}/send_callback")
    await world.cid.refused(404, "POST", f"/task/{pending}/send_callback")
    assert (await world.ana.get("/callbacks"))["docs"] == []


async def test_a_task_says_what_came_of_its_callback(world: World, receiver: Receiver, post_office: PostOffice) -> None:
    task = await answered(world, receiver.url)
    before = await world.ana.get(f"/task/{task}")
    assert "callback_succeeded" not in before
    receiver.status = 500
    await post_office.deliver()
    assert "callback_succeeded" not in await world.ana.get(f"/task/{task}"), "there are more tries before it"
    for _ in range(12):
        world.clock.forward(hours=12)
        await post_office.deliver()
    assert (await world.ana.get(f"/task/{task}"))["callback_succeeded"] is False
    receiver.status = 204
    await world.ana.post(f"/task/{task}/send_callback")
    await post_office.deliver()
    after = await world.ana.get(f"/task/{task}")
    assert after.pop("callback_succeeded") is True
    assert after == before, "it is no change of the task"
    (listed,) = (await world.ana.get("/tasks"))["docs"]
    assert listed["callback_succeeded"] is True


async def test_a_batch_takes_its_callback_by_either_name(world: World) -> None:
    await makers.project(world)
    url, other = "https://example.com/a", "https://example.com/b"
    one = await world.ana.post("/batches", {"project": "Pets", "name": "1", "callback_url": url})
    two = await world.ana.post("/batches", {"project": "Pets", "name": "2", "callback_url": url, "callback": url})
    assert one["callback"] == two["callback"] == url
    both = {"project": "Pets", "name": "3", "callback_url": url, "callback": other}
    error = await world.ana.refused(400, "POST", "/batches", both)
    assert url in error
    assert other in error
