"""Every error in a delivery is a failure with a reason, and the next attempt follows on schedule."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from refonte_studio.callbacks.policy import retries as retry_policy
from refonte_studio.callbacks.service import delivery
from refonte_studio.db import Tx
from tests.callbacks.conftest import PostOffice
from tests.callbacks.receiver import Receiver
from tests.world import World

UNSENDABLE = [
    "http://xn--zzzzzzzzz-/",
    "http://xn--zzzzzzzzz-.example/hook",
    "http://[bad/",
    "http://[::1%25lo]/",
    "http://a..b/",
    f"http://{'a' * 64}.example/",
    f"http://{'a.' * 200}example/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:port/",
    "http://:80/",
    "http://",
    "http://\u2603.example/",
    "http://exa mple/",
    "http://a\\b/",
    "http://a/\x00",
    "http://a/\ud83d".encode("utf-8", "replace").decode(),
    "http://no-such-host.invalid/",
    "http://10.0.0.1/",
    f"http://{'x' * 70_000}/",
]
"""What an older server may have accepted as the URL of a callback."""


async def told(world: World, url: str) -> None:
    """A task that has ended and is to be told of, at this URL, whatever the API would say to it."""
    body = {"attachment": "https://example.com/1.jpg", "categories": ["a"], "callback_url": "https://example.com/"}
    made = await world.ana.post("/task/categorization", body)
    await world.ana.post(f"/task/{made['task_id']}/cancel")

    async def redirect(tx: Tx) -> None:
        await tx.run("UPDATE callbacks SET url = :url", url=url)

    await world.db.write(redirect)


async def failed(world: World, post_office: PostOffice) -> str:
    """Delivers; the reason of the one try, which has failed as any does."""
    assert await post_office.deliver() == 1
    (callback,) = (await world.ana.get("/callbacks"))["docs"]
    assert (callback["state"], callback["tries"]) == ("waiting", 1)
    assert callback["next_try_at"] > callback["created_at"]
    assert 0 < len(callback["last_error"]) <= retry_policy.ERROR_LENGTH
    assert callback["last_error"].isprintable()
    assert await post_office.deliver() == 0, "not before its time"
    return callback["last_error"]


@pytest.mark.parametrize("url", UNSENDABLE, ids=lambda url: ascii(url)[:40])
async def test_a_url_that_nothing_can_be_sent_to(world: World, post_office: PostOffice, url: str) -> None:
    if "\x00" in url and world.db.engine == "postgresql":
        return  # which keeps no such text
    await told(world, url)
    error = await failed(world, post_office)
    assert "server could not make" not in error, "it is the URL that is wrong"


@asynccontextmanager
async def answering(answer: Callable[[asyncio.StreamWriter], object], ask: bytes = b"\r\n\r\n") -> AsyncIterator[str]:
    """A receiver with this answer, to whatever it is sent that ends so; its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(ask)
            answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the sender went away
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"


ODD = {
    "no HTTP": b"hello\r\n\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-length: 1",
    "a header without end": b"HTTP/1.1 200 OK\r\nx: " + b"x" * 300_000,
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 60_000,
    "a status that is none": b"HTTP/1.1 999999 OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    "a header that is none": b"HTTP/1.1 200 OK\r\n\x00bad\xff: \x01\r\n\r\n",
    "a redirect to no URL": b"HTTP/1.1 302 Found\r\nlocation: http://[bad/\r\n\r\n",
    "a redirect to no host": b"HTTP/1.1 307 Found\r\nlocation: http://xn--zzzzzzzzz-/\r\n\r\n",
    "a redirect to no text": b"HTTP/1.1 302 Found\r\nlocation: \xff\xfe:\x81\r\n\r\n",
    "a refusal": b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
async def test_a_receiver_with_an_odd_answer(world: World, post_office: PostOffice, answer: bytes) -> None:
    async with answering(lambda writer: writer.write(answer)) as url:
        await told(world, url)
        await failed(world, post_office)


async def test_an_answer_of_any_length_is_not_read(world: World, post_office: PostOffice) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-encoding: gzip\r\nset-cookie: a=b\r\n"
    async with answering(lambda writer: writer.write(head + b"content-length: 10000000000\r\n\r\nnot gzip")) as url:
        await told(world, url)
        assert await post_office.deliver() == 1
    (callback,) = (await world.ana.get("/callbacks"))["docs"]
    assert callback["state"] == "delivered"
    assert not post_office.client.cookies


async def test_a_receiver_without_the_tls_that_its_url_promises(world: World, post_office: PostOffice) -> None:
    async with answering(lambda writer: writer.write(b"HTTP/1.1 200 OK\r\n\r\n"), ask=b"\x16\x03") as url:
        await told(world, url.replace("http://", "https://"))
        assert "SSL" in await failed(world, post_office)


async def test_a_receiver_that_does_not_answer_in_time(
    world: World, receiver: Receiver, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "TRY_S", 0.05)
    receiver.waiting = asyncio.Event()
    await told(world, receiver.url)
    assert await failed(world, post_office) == "the receiver took longer than 0.05 s"
    receiver.waiting.set()


async def test_a_mail_that_is_not_taken_is_tried_again(world: World, post_office: PostOffice) -> None:
    post_office.has_mail_server = False
    await told(world, "boss@example.com")
    assert await failed(world, post_office) == "no mail server is configured"
    post_office.has_mail_server = True
    world.clock.forward(seconds=10)
    assert await post_office.deliver() == 1
    assert len(post_office.mails) == 1
