"""Connections over real sockets, with an application that responds when the test says so."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from refonte_studio.server import protocol
from refonte_studio.server.protocol import Load, Protocol

CONNECTIONS = 3
REQUESTS = 2
GET = b"GET /%s HTTP/1.1\r\nHost: studio\r\n\r\n"
LARGE = 50_000_000
LOOKS = 10_000


class Site:
    """A server on a free port. `/wait` is answered after `open`; `/large` is more than anybody takes at once."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.begun = asyncio.Semaphore(0)
        self.received = asyncio.Queue[int]()  # how many bytes of the body of `/whole` are there, at each change
        self.load = Load(self.answer, CONNECTIONS, REQUESTS, CONNECTIONS)
        self.state = ServerState()

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        self.begun.release()
        body = b"fine"
        if scope["path"] == "/wait":
            await self.opened.wait()
        elif scope["path"] == "/large":
            body = bytes(LARGE)
        elif scope["path"] == "/echo":
            body = (await receive())["body"]
        elif scope["path"] == "/whole":
            size, more = 0, True
            while more:
                message = await receive()
                size += len(message.get("body", b""))
                self.received.put_nowait(size)
                more = message.get("more_body", False)
            body = b"%d" % size
        elif scope["path"] == "/later":
            headers = [(b"content-length", b"4"), (b"retry-after", b"1")]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": b"busy"})
            return
        length = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": body})

    async def listen(self) -> asyncio.Server:
        config = uvicorn.Config(self.answer, http=Protocol.with_load(self.load), ws="none", access_log=False)
        config.load()
        make = Protocol.with_load(self.load)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: make(config, self.state, {}), "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        return server

    async def has_received(self, size: int) -> None:
        """Returns when so much of a body has come in."""
        while await self.received.get() < size:
            pass

    def all(self) -> list[Protocol]:
        """The connections that there are."""
        return [each for each in self.state.connections if isinstance(each, Protocol)]

    def look(self) -> None:
        """What the server does every few seconds."""
        for each in self.all():
            each.end_if_stalled()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    server = await made.listen()
    yield made
    made.opened.set()
    server.close()
    for each in made.all():
        each.transport.abort()
    await server.wait_closed()


class Visitor:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def of(cls, site: Site) -> "Visitor":
        return cls(*await asyncio.open_connection("127.0.0.1", site.port))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def heard(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        return int(head[0].split()[1]), headers, await self.reader.readexactly(int(headers["content-length"]))

    async def asks(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.send(GET % path.encode())
        return await self.heard()

    async def is_closed(self) -> bool:
        """Returns when the server has closed, with True if it said nothing more."""
        try:
            return await self.reader.read() == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.writer.close()


@pytest.fixture
async def visitor(site: Site) -> AsyncIterator[Callable[[], Any]]:
    """Opens connections, which are closed at the end."""
    opened: list[Visitor] = []

    async def open_one() -> Visitor:
        opened.append(await Visitor.of(site))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


async def fill(site: Site, visitor: Callable[[], Any]) -> list[Visitor]:
    """As many requests under way as there may be."""
    busy = [await visitor() for _ in range(REQUESTS)]
    for each in busy:
        each.send(GET % b"wait")
        await site.begun.acquire()
    return busy


async def test_a_request_too_many_is_refused_at_once_and_the_others_are_served(site: Site, visitor: Any):
    busy = await fill(site, visitor)
    late = await visitor()
    status, headers, body = await late.asks("work")
    assert (status, headers["retry-after"], headers["content-type"]) == (503, "1", "application/json")
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
    assert json.loads(body) == {
        "status_code": 503,
        "error": "the server has more requests than it can serve in good time",
    }
    site.opened.set()
    assert [(await each.heard())[0] for each in busy] == [200, 200]
    assert (await late.asks("work"))[0] == 200, "on the same connection"


@pytest.mark.parametrize("path", ["healthz", "readyz", "readyz?verbose"])
async def test_whether_it_lives_is_answered_even_then(site: Site, visitor: Any, path: str):
    await fill(site, visitor)
    assert (await (await visitor()).asks(path))[0] == 200


async def test_the_body_of_a_refused_request_is_not_taken_for_the_next_one(site: Site, visitor: Any):
    await fill(site, visitor)
    late = await visitor()
    late.send(b"POST /echo HTTP/1.1\r\nHost: studio\r\nContent-Length: 30\r\n\r\nGET /wait HTTP")
    assert (await late.heard())[0] == 503
    site.opened.set()
    late.send(b"/1.1\r\n\r\n56789012" + b"POST /echo HTTP/1.1\r\nHost: studio\r\nContent-Length: 4\r\n\r\ntrue")
    assert await late.heard() == (200, {"content-length": "4"}, b"true")


async def test_who_waits_to_be_told_to_go_on_is_told_not_to(site: Site, visitor: Any):
    await fill(site, visitor)
    late = await visitor()
    late.send(b"POST /echo HTTP/1.1\r\nHost: studio\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    status, headers, _ = await late.heard()
    assert (status, headers["connection"]) == (503, "close")
    assert await late.is_closed()


async def test_a_request_behind_another_on_its_connection_is_answered_after_it(site: Site, visitor: Any):
    busy = await fill(site, visitor)
    busy[0].send(GET % b"work")
    assert (await (await visitor()).asks("work"))[0] == 503
    site.opened.set()
    assert [(await busy[0].heard())[2] for _ in range(2)] == [b"fine", b"fine"]


async def test_a_place_is_free_again_when_its_client_has_gone(site: Site, visitor: Any):
    busy = await fill(site, visitor)
    for each in busy:
        each.send(GET % b"work")  # these wait behind the others, and never have their turn
        each.close()
        await each.writer.wait_closed()
    site.opened.set()
    one, two = await visitor(), await visitor()
    assert (await one.asks("work"))[0] == (await two.asks("work"))[0] == 200


async def test_an_address_that_is_none_takes_no_place(site: Site, visitor: Any):
    for _ in range(REQUESTS + 1):
        strange = await visitor()
        strange.send(b"GET http://[ HTTP/1.1\r\nHost: studio\r\n\r\n")
        assert (await strange.heard())[0] == 400
        assert await strange.is_closed()
    assert (await (await visitor()).asks("work"))[0] == 200


async def test_very_many_requests_on_one_connection_end_it(site: Site, visitor: Any):
    (greedy, _) = await fill(site, visitor)
    greedy.send(GET % b"work" * (protocol.PIPELINE_LIMIT + 2))
    assert await greedy.is_closed()
    assert len(site.all()) == 1


async def test_a_connection_too_many_is_told_so_and_closed(site: Site, visitor: Any):
    kept = [await visitor() for _ in range(CONNECTIONS)]
    for each in kept:
        assert (await each.asks("work"))[0] == 200
    surplus = await visitor()
    status, headers, _ = await surplus.asks("work")
    assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
    assert await surplus.is_closed()
    watcher = await visitor()
    assert (await watcher.asks("healthz"))[0] == 200
    assert await watcher.is_closed()
    assert (await kept[0].asks("work"))[0] == 200
    kept[0].close()
    await kept[0].writer.wait_closed()
    assert (await (await visitor()).asks("work"))[0] == 200


async def test_connections_far_too_many_are_closed_without_a_word(
    site: Site, visitor: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(protocol, "SURPLUS", 1)
    for _ in range(CONNECTIONS + 1):
        await visitor()
    assert await (await visitor()).is_closed()


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"GET / HT", id="head"),
        pytest.param(b"\r\n", id="nothing"),
        pytest.param(b"POST /echo HTTP/1.1\r\nHost: studio\r\nContent-Length: 4\r\n\r\n", id="body"),
    ],
)
async def test_a_request_that_never_ends_is_given_up(
    site: Site, visitor: Any, monkeypatch: pytest.MonkeyPatch, begun: bytes
):
    slow = await visitor()
    slow.send(begun)
    other = await visitor()
    assert (await other.asks("work"))[0] == 200  # by now the server has what was sent before
    site.look()
    assert len(site.all()) == 2, "it has time"
    monkeypatch.setattr(protocol, "IDLE_S", -1)
    site.look()
    assert await slow.is_closed()


async def test_who_waits_for_an_answer_is_not_given_up(site: Site, visitor: Any, monkeypatch: pytest.MonkeyPatch):
    (patient, _) = await fill(site, visitor)
    monkeypatch.setattr(protocol, "IDLE_S", -1)
    site.look()
    site.opened.set()
    assert (await patient.heard())[0] == 200


async def test_who_does_not_take_the_answer_is_given_up(site: Site, visitor: Any, monkeypatch: pytest.MonkeyPatch):
    lazy = await visitor()
    lazy.writer.transport.pause_reading()
    lazy.send(GET % b"large")
    await site.begun.acquire()
    (connection,) = site.all()
    for _ in range(LOOKS):
        if connection.flow.write_paused:
            break
        await asyncio.sleep(0)
    site.look()
    assert not connection.transport.is_closing(), "it has time"
    monkeypatch.setattr(protocol, "IDLE_S", -1)
    site.look()
    assert connection.transport.is_closing()


@pytest.mark.parametrize("path", ["work", "later"])
async def test_who_asks_again_at_once_is_listened_to_later_while_very_many_do(site: Site, visitor: Any, path: str):
    """`later` is refused by the application itself."""
    if path == "work":
        await fill(site, visitor)
    late = await visitor()
    assert (await late.asks(path))[0] == 503
    held = [each for each in site.all() if each.flow.read_paused]
    assert held == []
    site.load.hold_s = 0.05
    assert (await late.asks(path))[0] == 503
    assert len([each for each in site.all() if each.flow.read_paused]) == 1
    site.load.hold_s = 0
    assert (await late.asks(path))[0] == 503, "it is answered all the same"


@pytest.mark.parametrize(
    ("one", "times"), [(b"X: a\r\n", 20_000), (b"X: " + b"a" * 100_000, 1)], ids=["many small", "one large"]
)
async def test_what_comes_after_a_body_is_bounded(site: Site, visitor: Any, one: bytes, times: int):
    endless = await visitor()
    endless.send(b"POST /echo HTTP/1.1\r\nHost: studio\r\nTransfer-Encoding: chunked\r\n\r\n")
    await site.begun.acquire()
    endless.send(b"4\r\nbody\r\n0\r\n" + one * times)
    endless.send(one * times)
    await endless.is_closed()
    assert (await (await visitor()).asks("work"))[0] == 200


async def test_a_body_in_many_small_chunks_is_taken(site: Site, visitor: Any):
    small = await visitor()
    small.send(b"POST /whole HTTP/1.1\r\nHost: studio\r\nTransfer-Encoding: chunked\r\n\r\n")
    await site.begun.acquire()
    for _ in range(5):
        small.send(b"1\r\nx\r\n" * 20_000)
        await small.writer.drain()
    small.send(b"0\r\n\r\n")
    assert (await small.heard())[2] == b"100000"


async def test_a_head_that_is_too_large_is_refused_though_it_comes_in_one_piece(site: Site, visitor: Any):
    large = await visitor()
    large.send(b"GET /work HTTP/1.1\r\nHost: studio\r\nX: " + b"x" * 70_000 + b"\r\n\r\n")
    status, headers, body = await large.heard()
    assert (status, json.loads(body)["status_code"]) == (431, 431)
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


async def test_a_quick_start_does_not_excuse_a_body_that_trickles(
    site: Site, visitor: Any, monkeypatch: pytest.MonkeyPatch
):
    """The recent pace counts, not that since the beginning."""
    slow = await visitor()
    slow.send(b"POST /whole HTTP/1.1\r\nHost: studio\r\nContent-Length: 900000\r\n\r\n" + b"x" * 500_000)
    await site.has_received(500_000)
    loop = asyncio.get_running_loop()
    clock = loop.time
    for windows, stays in ((1, True), (2, False)):
        late_s = windows * (protocol.IDLE_S + 1)
        monkeypatch.setattr(loop, "time", lambda late_s=late_s: clock() + late_s)
        slow.send(b"x")
        await site.has_received(500_000 + windows)
        (connection,) = site.all()
        site.look()
        assert connection.transport.is_closing() is not stays
    assert await slow.is_closed()


async def test_one_address_has_a_bounded_share_of_the_connections(site: Site, visitor: Any):
    site.load.connection_limit = 100
    for _ in range(CONNECTIONS):
        assert (await (await visitor()).asks("work"))[0] == 200
    surplus = await visitor()
    assert (await surplus.asks("work"))[0] == 503
    assert await surplus.is_closed()
    neighbour = Visitor(*await asyncio.open_connection("127.0.0.1", site.port, local_addr=("127.0.0.2", 0)))
    assert (await neighbour.asks("work"))[0] == 200
    neighbour.close()


async def test_who_dawdles_with_a_body_takes_nobodys_place(site: Site, visitor: Any, monkeypatch: pytest.MonkeyPatch):
    for _ in range(REQUESTS):
        slow = await visitor()
        slow.send(b"POST /whole HTTP/1.1\r\nHost: studio\r\nContent-Length: 900000\r\n\r\n{")
        await site.begun.acquire()
    assert (await (await visitor()).asks("work"))[0] == 200
    monkeypatch.setattr(protocol, "IDLE_S", 0)
    site.look()
    assert await slow.is_closed(), "after a while it is given up, too"
