"""How a receiver verifies the sender, and which parts of a URL stay secret."""

import logging

import pytest

from tests import makers
from tests.callbacks.conftest import PostOffice
from tests.callbacks.receiver import Receiver
from tests.world import World

AUTH = "live_auth_0123456789abcdef"


async def told(world: World, url: str, mode: str = "live") -> str:
    body = {"attachment": "https://example.com/1.jpg", "categories": ["a"], "callback_url": url}
    made = await world.ana.post("/task/categorization", body, mode=mode)
    if mode == "live":
        await world.ana.post(f"/task/{made['task_id']}/cancel")
    return made["task_id"]


async def test_callbacks_carry_the_secret_that_the_team_has_set(
    world: World, receiver: Receiver, post_office: PostOffice
) -> None:
    await told(world, receiver.url)
    await post_office.deliver()
    assert "scale-callback-auth" not in receiver.letters[-1].headers
    assert await world.ana.call("PUT", "/callbacks/auth", {"secret": AUTH})
    for mode in ("live", "test"):
        await told(world, receiver.url, mode)
        await post_office.deliver()
        assert receiver.letters[-1].headers["scale-callback-auth"] == AUTH
        assert "webhook-signature" in receiver.letters[-1].headers
    await world.ana.call("DELETE", "/callbacks/auth")
    await told(world, receiver.url)
    await post_office.deliver()
    assert "scale-callback-auth" not in receiver.letters[-1].headers


async def test_the_secret_is_never_shown_again(world: World, receiver: Receiver, post_office: PostOffice) -> None:
    assert await world.ana.get("/callbacks/auth") == {"is_set": False}
    assert await world.max.post("/callbacks/auth", {"secret": AUTH}) == {"is_set": True}
    assert await world.ana.get("/callbacks/auth") == {"is_set": True}
    assert await world.cid.get("/callbacks/auth") == {"is_set": False}, "it is the team's"
    await told(world, receiver.url)
    await post_office.deliver()
    for path in ("/callbacks", "/callbacks/secret", "/tasks"):
        assert AUTH not in (await world.ana.call("GET", path)).text
    await world.mia.refused(403, "POST", "/callbacks/auth", {"secret": AUTH})
    await world.ben.refused(403, "GET", "/callbacks/auth")


@pytest.mark.parametrize(
    "secret", ["", "short", "x" * 257, "with spaces inside it", "näht nicht in ASCII", f"{AUTH}\r\nx"]
)
async def test_a_secret_that_cannot_go_in_a_header_is_refused_unseen(world: World, secret: str) -> None:
    error = await world.ana.refused(400, "POST", "/callbacks/auth", {"secret": secret})
    assert "secret" in error
    assert not secret or secret not in error
    assert await world.ana.get("/callbacks/auth") == {"is_set": False}


async def test_user_and_password_of_a_url_reach_its_receiver_and_nobody_else(
    world: World, receiver: Receiver, post_office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = receiver.url.replace("://", "://boss:pa%3Ass@")
    await makers.project(world)
    batch = await world.ana.post("/batches", {"project": "Pets", "name": "Monday", "callback": url})
    task = await makers.task(world, "Pets", "Monday", callback_url=url)
    await world.ana.post("/batches/Monday/finalize")
    await makers.answer(world.ben)
    receiver.status = 500
    for _ in range(13):
        await post_office.deliver()
        world.clock.forward(hours=12)
    assert {letter.headers["authorization"] for letter in receiver.letters} == {"Basic Ym9zczpwYTpzcw=="}
    shown = [
        batch,
        await world.ana.get(f"/task/{task}"),
        await world.ana.get("/tasks"),
        await world.ana.get("/batches/Monday"),
        await world.ana.get("/batches"),
        (await world.ana.call("GET", "/tasks/export")).text,
        await world.ana.get("/callbacks"),
        *(letter.body.decode() for letter in receiver.letters),
        caplog.text,
    ]
    assert not [text for text in map(str, shown) if "pa%3Ass" in text or "boss" in text]
    assert batch["callback"] == receiver.url.replace("://", "://***@")
    assert "given up" in caplog.text


async def test_a_url_whose_user_is_hidden_is_not_taken_for_the_real_one(world: World) -> None:
    await makers.project(world)
    body = {"project": "Pets", "attachment": "https://example.com/1.jpg", "callback_url": "https://***@example.com/"}
    assert "hidden" in await world.ana.refused(400, "POST", "/task/categorization", body)


async def test_a_project_shows_its_callback_url_without_user_and_password(world: World) -> None:
    given = {"categories": ["a", "b"], "callback_url": "https://boss:secret@example.com/hook"}
    made = await world.ana.post("/projects", {"name": "Pets", "type": "categorization", "params": given})
    changed = await world.ana.post("/projects/Pets/setParams", {"patch": True, "instruction": "Look."})
    for shown in (made, changed, await world.ana.get("/projects"), await world.ana.get("/projects/Pets")):
        assert "secret" not in str(shown)
        assert "https://***@example.com/hook" in str(shown)
