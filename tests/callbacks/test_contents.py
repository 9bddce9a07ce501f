"""What callbacks say, who receives them, and when."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from refonte_studio.kit.clock import system_clock
from tests import makers
from tests.callbacks.conftest import PostOffice
from tests.callbacks.receiver import Receiver
from tests.world import World

PAYLOADS = Path(__file__).parent / "payloads.json"


async def test_a_completed_task_is_told_with_its_response(world: World, receiver: Receiver, post_office: PostOffice):
    await makers.project(world)
    task = await makers.task(world, "Pets", callback_url=receiver.url)
    assert await post_office.deliver() == 0
    await makers.answer(world.ben, "dog")
    assert await post_office.deliver() == 1
    (letter,) = receiver.letters
    assert letter.path == "/hook"
    assert letter.headers["content-type"] == "application/json"
    shown = await world.ana.get(f"/task/{task}")
    assert shown.pop("callback_succeeded") is True, "which is known only afterwards"
    assert letter.json == {"task_id": task, "status": "completed", "task": shown, "response": {"category": "dog"}}


async def test_a_task_is_told_of_once(world: World, receiver: Receiver, post_office: PostOffice):
    await makers.project(world)
    await makers.task(world, "Pets", callback_url=receiver.url)
    await makers.answer(world.ben)
    assert await post_office.deliver() == 1
    world.clock.forward(days=2)
    assert await post_office.deliver() == 0
    assert len(receiver.letters) == 1


async def test_a_canceled_task_is_told_too(world: World, receiver: Receiver, post_office: PostOffice):
    await makers.project(world)
    task = await makers.task(world, "Pets", callback_url=receiver.url)
    await world.ana.post(f"/task/{task}/cancel")
    await post_office.deliver()
    assert [(letter.json["status"], letter.json["response"]) for letter in receiver.letters] == [("canceled", {})]


async def test_in_test_mode_the_callback_goes_out_at_creation(
    world: World, receiver: Receiver, post_office: PostOffice
):
    body = {"attachment": "https://example.com/1.jpg", "categories": ["a", "b"], "callback_url": receiver.url}
    made = await world.ana.post("/task/categorization", body, mode="test")
    assert await post_office.deliver() == 1
    (letter,) = receiver.letters
    assert letter.json["task_id"] == made["task_id"]
    assert letter.json["task"]["is_test"] is True
    assert letter.json["response"] == {"category": "a"}
    assert len((await world.ana.get("/callbacks", mode="test"))["docs"]) == 1
    assert (await world.ana.get("/callbacks"))["docs"] == []


async def test_a_task_without_a_callback_url_is_not_told_of(world: World, post_office: PostOffice):
    await makers.project(world)
    await makers.task(world, "Pets")
    await makers.answer(world.ben)
    assert await post_office.deliver() == 0
    assert (await world.ana.get("/callbacks"))["docs"] == []


async def test_a_project_hands_its_callback_url_down(world: World, receiver: Receiver, post_office: PostOffice):
    await makers.project(world, params={"categories": ["cat", "dog"], "callback_url": receiver.url})
    await makers.task(world, "Pets")
    await makers.answer(world.ben)
    assert await post_office.deliver() == 1


async def test_a_completed_batch_is_told(world: World, receiver: Receiver, post_office: PostOffice):
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=2, callback=receiver.url)
    await makers.answer(world.ben)
    assert await post_office.deliver() == 0
    await makers.answer(world.ben)
    assert await post_office.deliver() == 1
    (letter,) = receiver.letters
    assert letter.json == {"batch": await world.ana.get("/batches/Monday"), "status": "completed"}
    assert letter.json["batch"]["status"] == "completed"


async def test_a_batch_whose_callback_is_an_address_is_told_by_mail(world: World, post_office: PostOffice):
    await makers.project(world)
    await makers.batch(world, "Pets", callback="boss@example.com")
    await makers.answer(world.ben)
    assert await post_office.deliver() == 1
    ((address, subject, text),) = post_office.mails
    assert (address, subject) == ("boss@example.com", "Batch Monday is completed")
    assert '"status":"completed"' in text


async def test_without_a_mail_server_nothing_pretends_to_have_been_sent(world: World, post_office: PostOffice):
    post_office.has_mail_server = False
    await makers.project(world)
    await makers.batch(world, "Pets", callback="boss@example.com")
    await makers.answer(world.ben)
    await post_office.deliver()
    (callback,) = (await world.ana.get("/callbacks"))["docs"]
    assert (callback["state"], callback["last_error"]) == ("waiting", "no mail server is configured")


async def test_a_receiver_can_tell_that_it_is_us(world: World, receiver: Receiver, post_office: PostOffice):
    world.clock.now = system_clock()  # receivers refuse what is old
    await makers.project(world)
    await makers.task(world, "Pets", callback_url=receiver.url)
    await makers.answer(world.ben)
    await post_office.deliver()
    (letter,) = receiver.letters
    secret = (await world.ana.get("/callbacks/secret"))["secret"]
    assert Webhook(secret).verify(letter.body, letter.headers) == letter.json
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(letter.body.replace(b"cat", b"dog"), letter.headers)
    others = (await world.cid.get("/callbacks/secret"))["secret"]
    with pytest.raises(WebhookVerificationError):
        Webhook(others).verify(letter.body, letter.headers)


async def test_what_a_callback_says_does_not_change_by_accident(
    world: World, receiver: Receiver, post_office: PostOffice
):
    """Receivers are written against these bodies. A wanted change is made in payloads.json too."""
    await makers.project(world)
    await world.ana.post("/batches", {"project": "Pets", "name": "Monday", "callback": receiver.url})
    await makers.task(world, "Pets", "Monday", callback_url=receiver.url, tags=["x"], metadata={"a": 1}, unique_id="u1")
    await world.ana.post("/batches/Monday/finalize")
    await makers.answer(world.ben)
    assert await post_office.deliver() == 2
    told = {"batch" if "batch" in letter.json else "task": _without_ids(letter) for letter in receiver.letters}
    payloads = json.loads(PAYLOADS.read_text())  # that of a pause is a mail's
    assert told == {name: payloads[name] for name in ("task", "batch")}


def _without_ids(letter: Any) -> Any:
    text = re.sub(r"\b[0-9a-f]{24}\b", "ID", letter.body.decode())
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    return json.loads(re.sub(r"127\.0\.0\.1:\d+", "RECEIVER", text))
