"""Retries when a receiver does not respond, and several servers that deliver at once."""

import asyncio
from itertools import pairwise

import pytest

from refonte_studio.callbacks import service
from refonte_studio.callbacks.policy import retries as retry_policy
from refonte_studio.callbacks.service.delivery import Delivery, poster
from refonte_studio.config import Settings
from refonte_studio.db import open_database
from refonte_studio.files.service import outbound
from refonte_studio.kit.clock import DAY_MS
from refonte_studio.main import LISTENERS
from tests.callbacks.conftest import PostOffice
from tests.callbacks.receiver import Receiver, receiving
from tests.world import World


async def told(world: World, url: str, count: int = 1) -> None:
    """So many tasks that have ended and are to be told of."""
    body = {"attachment": "https://example.com/1.jpg", "categories": ["a"], "callback_url": url}
    for _ in range(count):
        made = await world.ana.post("/task/categorization", body)
        await world.ana.post(f"/task/{made['task_id']}/cancel")


async def only(world: World) -> dict:
    (callback,) = (await world.ana.get("/callbacks"))["docs"]
    return callback


async def test_a_receiver_that_is_down_is_tried_again(world: World, receiver: Receiver, post_office: PostOffice):
    receiver.status = 503
    await told(world, receiver.url)
    assert await post_office.deliver() == 1
    failed = await only(world)
    assert (failed["state"], failed["tries"], failed["last_error"]) == ("waiting", 1, "the receiver answered 503")
    assert await post_office.deliver() == 0, "not before its time"
    receiver.status = 204
    world.clock.forward(seconds=10)
    assert await post_office.deliver() == 1
    delivered = await only(world)
    assert (delivered["state"], delivered["tries"]) == ("delivered", 2)
    assert "last_error" not in delivered
    assert "next_try_at" not in delivered
    first, second = receiver.letters
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


async def test_after_a_day_of_tries_it_is_given_up(world: World, receiver: Receiver, post_office: PostOffice):
    receiver.status = 500
    await told(world, receiver.url)
    started = world.clock.now
    for _ in range(retry_policy.SCHEDULE.tries):
        assert await post_office.deliver() == 1
        world.clock.forward(hours=12)
    assert (await only(world))["state"] == "failed"
    assert await post_office.deliver() == 0
    assert len(receiver.letters) == retry_policy.SCHEDULE.tries
    assert world.clock.now - started < 7 * DAY_MS


async def test_a_receiver_that_is_gone_is_an_error_like_another(world: World, post_office: PostOffice):
    async with receiving() as gone:
        url = gone.url
    await told(world, url)
    await post_office.deliver()
    callback = await only(world)
    assert callback["state"] == "waiting"
    assert callback["last_error"].startswith("ConnectError")


async def test_a_redirect_is_not_followed(world: World, receiver: Receiver, post_office: PostOffice):
    receiver.status, receiver.more_headers = 302, f"location: {receiver.url}\r\n"
    await told(world, receiver.url)
    await post_office.deliver()
    assert (await only(world))["last_error"] == "the receiver answered 302"
    assert len(receiver.letters) == 1


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:10.0.0.1]"]
)
async def test_no_internal_address_is_called_that_the_settings_do_not_name(world: World, receiver: Receiver, host: str):
    await told(world, f"http://{host}:{receiver.port}/hook")
    async with outbound.client(Settings(host="127.0.0.1", internal_hosts="other.internal")) as client:
        await Delivery(world.db, world.clock, poster(client), PostOffice(world, client).send_mail).deliver_due()
    assert receiver.letters == []
    assert "is not on the public internet" in (await only(world))["last_error"]


async def test_a_manager_may_send_it_again(world: World, receiver: Receiver, post_office: PostOffice):
    await told(world, receiver.url)
    await post_office.deliver()
    callback = await only(world)
    again = await world.max.post(f"/callbacks/{callback['id']}/retry")
    assert (again["state"], again["tries"]) == ("waiting", 0)
    assert await post_office.deliver() == 1
    assert len(receiver.letters) == 2


async def test_callbacks_are_listed_by_state_and_page(world: World, receiver: Receiver, post_office: PostOffice):
    await told(world, receiver.url, 3)
    await post_office.deliver()
    await told(world, receiver.url, 2)
    everything = (await world.ana.get("/callbacks"))["docs"]
    assert [callback["id"] for callback in everything] == sorted((c["id"] for c in everything), reverse=True)
    waiting = await world.ana.get("/callbacks", state="waiting")
    assert [callback["state"] for callback in waiting["docs"]] == ["waiting"] * 2
    first = await world.ana.get("/callbacks", limit=3)
    assert first["has_more"]
    second = await world.ana.get("/callbacks", limit=3, next_token=first["next_token"])
    assert [*first["docs"], *second["docs"]] == everything
    assert not second["has_more"]
    await world.ana.refused(400, "GET", "/callbacks?state=lost")


async def test_another_team_sees_and_sends_none_of_it(world: World, receiver: Receiver):
    await told(world, receiver.url)
    callback = await only(world)
    assert (await world.cid.get("/callbacks"))["docs"] == []
    await world.cid.refused(404, "POST", f"/callbacks/{callback['id']}/retry")
    await world.ana.refused(404, "POST", f"/callbacks/{callback['id']}/retry", mode="test")


async def test_two_servers_never_send_the_same_callback(
    world: World, receiver: Receiver, post_office: PostOffice, database_url: str
):
    await told(world, receiver.url, 40)
    other = await open_database(database_url, LISTENERS)
    try:
        counts = await asyncio.gather(
            *(post_office.delivery(db).deliver_due() for db in (world.db, other, world.db, other))
        )
    finally:
        await other.close()
    assert sum(counts) == 40
    assert len({letter.headers["webhook-id"] for letter in receiver.letters}) == len(receiver.letters) == 40


async def test_a_try_whose_server_died_is_made_by_another(world: World, receiver: Receiver, post_office: PostOffice):
    await told(world, receiver.url)
    (begun,) = await world.db.write(service.begin_tries, world.clock(), {}, 10)
    assert await post_office.deliver() == 0
    world.clock.forward(seconds=61)
    assert await post_office.deliver() == 1
    assert (await only(world))["state"] == "delivered"
    assert not await world.db.write(service.not_delivered, begun, "too late", 1_000, world.clock())
    assert (await only(world))["state"] == "delivered"


async def test_what_a_lost_try_says_late_is_not_heard(world: World, receiver: Receiver, post_office: PostOffice):
    await told(world, receiver.url)
    (begun,) = await world.db.write(service.begin_tries, world.clock(), {}, 10)
    world.clock.forward(seconds=61)
    receiver.status = 503
    assert await post_office.deliver() == 1
    assert not await world.db.write(service.delivered, begun, world.clock())
    callback = await only(world)
    assert (callback["state"], callback["tries"]) == ("waiting", 2)


async def test_the_loop_delivers_and_stops(world: World, receiver: Receiver, post_office: PostOffice):
    await told(world, receiver.url, 20)
    receiver.waiting = asyncio.Event()
    loop = asyncio.create_task(post_office.delivery().run(0.01))
    await receiver.has(retry_policy.LANE_SLOTS)
    receiver.waiting.set()
    await receiver.has(20)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    states = [callback["state"] for callback in (await world.ana.get("/callbacks"))["docs"]]
    assert states == ["delivered"] * 20
    assert len(receiver.letters) == 20


async def test_a_slow_receiver_of_one_team_does_not_hold_up_another(
    world: World, receiver: Receiver, post_office: PostOffice
):
    receiver.waiting = asyncio.Event()  # it never answers while the other team waits
    await told(world, receiver.url, 30)
    async with receiving() as quick:
        body = {"attachment": "https://example.com/1.jpg", "categories": ["a"], "callback_url": quick.url}
        made = await world.cid.post("/task/categorization", body)
        await world.cid.post(f"/task/{made['task_id']}/cancel")
        loop = asyncio.create_task(post_office.delivery().run(0.01))
        await quick.has(1)
        receiver.waiting.set()
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def test_old_callbacks_are_forgotten(world: World, receiver: Receiver, post_office: PostOffice):
    await told(world, receiver.url, 2)
    await post_office.deliver()
    await told(world, receiver.url)
    newest = (await world.ana.get("/callbacks"))["docs"][0]
    world.clock.now = int(newest["id"][:12], 16)  # ids never go back, and other tests' clocks may have been ahead
    world.clock.forward(days=29)
    assert await world.db.write(service.sweep, world.clock()) == 0
    world.clock.forward(days=2)
    assert await world.db.write(service.sweep, world.clock()) == 2
    assert (await only(world))["state"] == "waiting", "what is not told yet stays"


def test_pauses_grow_to_about_a_day_and_are_spread():
    pauses = [retry_policy.pause_ms(tries, 0.5) for tries in range(1, retry_policy.SCHEDULE.tries)]
    assert all(isinstance(pause, int) for pause in pauses)
    assert all(earlier < later for earlier, later in pairwise(pauses))
    assert 23 < sum(pauses) / 3_600_000 < 25
    assert retry_policy.pause_ms(retry_policy.SCHEDULE.tries, 0.5) is None
    assert retry_policy.pause_ms(3, 0.0) < retry_policy.pause_ms(3, 1.0)
