"""Connections to a server process: uvicorn's protocol, with bounds on their number, their silence and their requests.

What is beyond a bound is refused in our form, at once and at little cost, so that the rest is served as ever. Whether
the server lives and is ready is answered even then.
"""

import asyncio
import json
from collections import Counter, deque
from typing import Any, cast

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from refonte_studio.kit.admission import Refusals
from refonte_studio.kit.clients import TrustedProxies
from refonte_studio.kit.errors import Overloaded

HEAD_LIMIT_BYTES = 65_536  # of a request's address and headers
BESIDE_BODY = 8  # bytes that come with a byte of the body, for the sizes of chunks, beyond as many as a head may have
BODY_LEAST_PER_S = 1_000  # bytes of a body, over any time as long as a connection may be silent
PIPELINE_LIMIT = 16  # requests sent on one connection before the first is answered
IDLE_S = 75  # how long a connection may be silent, between requests and within one; proxies give up theirs sooner
SURPLUS = 256  # connections beyond the limit that are told so; those beyond them are closed without a word
SURPLUS_IDLE_S = 5
# Fewer requests are taken on while they take longer than this, on average, and the event loop comes late.
SLOW_S = 0.25
LAG_S = 0.05
LEAST = 32
SHRINK, SETTLE_S = 0.5, 0.5
GROW, GROW_CAREFULLY = 1.1, 1.02
# More refusals than these take too much of the time that others are served in.
REFUSALS_PER_S = 4_000
HOLD_LEAST_S, HOLD_MOST_S, HOLD_STEP = 0.02, 1.0, 1.3
VITAL = (b"/healthz", b"/readyz")

_OVERLOADED = Overloaded("requests")
_BODY = json.dumps({"status_code": 503, "error": _OVERLOADED.message}).encode()
_JSON = (b"content-type", b"application/json")
_PLAIN = (_JSON, (b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
_ALWAYS = "".join(f"{name.decode()}: {value.decode()}\r\n" for name, value in _PLAIN)
_RETRY = (b"retry-after", _OVERLOADED.headers["Retry-After"].encode())
_HEADERS = [*_PLAIN, (b"content-length", b"%d" % len(_BODY)), _RETRY]
_LINES = b"".join(b"%s: %s\r\n" % header for header in _HEADERS)
_REFUSED = b"HTTP/1.1 503 Service Unavailable\r\n"  # how every such answer begins
_REFUSAL = _REFUSED + _LINES + b"\r\n" + _BODY
_LAST_REFUSAL = _REFUSED + _LINES + b"connection: close\r\n\r\n" + _BODY


class Load:
    """What a server process has taken on, and the most that it takes: less, while everything takes long."""

    def __init__(
        self,
        app: Any,
        connection_limit: int,
        request_limit: int,
        address_limit: int | None = None,
        proxies: TrustedProxies = TrustedProxies(),
    ) -> None:
        self.app = app
        self.connection_limit = connection_limit
        self._address_limit = address_limit or connection_limit
        self._proxies = proxies
        self._by_address = Counter[str]()
        self._request_limit = request_limit
        self._limit = float(request_limit)
        self._settling_s = 0.0  # until what was changed last shows
        self._under_way = 0
        self._served = 0  # since the last look
        self._served_s = 0.0  # what they took together
        self._refused = 0  # since the last look: here and further in
        self._refused_within = 0  # of those, the latter
        self._refusals = Refusals("requests")
        self.hold_s = 0.0  # how long a connection whose request was refused is not listened to

    def connect(self, address: str, connections: int) -> int:
        """Notes a connection, one of so many; answers by how many it exceeds the limits, in all or of its address."""
        beyond = connections - self.connection_limit
        if not address or self._proxies.trusts(address):  # a socket without an address, or the clients of a proxy
            return beyond
        self._by_address[address] += 1
        return max(beyond, self._by_address[address] - self._address_limit)

    def disconnect(self, address: str) -> None:
        """A connection of this address is no more."""
        if self._by_address[address] > 1:
            self._by_address[address] -= 1
        else:
            del self._by_address[address]

    def admits(self) -> bool:
        """Whether there is room for one more request; if so, `serve` or `release` must be called."""
        if self._under_way >= self._limit:
            return False
        self._under_way += 1
        return True

    def release(self) -> None:
        """A request that was admitted turned out to be none."""
        self._under_way -= 1

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        """The application, for a request that was admitted. It takes no place while more of it is waited for."""

        async def received() -> Any:
            self._under_way -= 1
            try:
                return await receive()
            finally:
                self._under_way += 1

        try:
            await self.app(scope, received, send)
        finally:
            self._under_way -= 1

    async def serve_or_refuse(self, scope: Any, receive: Any, send: Any) -> None:
        """The application, for a request whose turn comes only now."""
        if self.admits():
            await self.serve(scope, receive, send)
            return
        self._refusals.add()
        await send({"type": "http.response.start", "status": 503, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _BODY, "more_body": False})

    def refuse(self, transport: asyncio.Transport, last: bool) -> None:
        """Answers a request that is not admitted."""
        self._refused += 1
        self._refusals.add()
        transport.write(_LAST_REFUSAL if last else _REFUSAL)

    def note_served(self, took_s: float) -> None:
        """A request was served."""
        self._served += 1
        self._served_s += took_s

    def note_refused(self) -> None:
        """A request that was admitted was answered with 503 all the same."""
        self._refused += 1
        self._refused_within += 1

    def adapt(self, elapsed_s: float, lag_s: float) -> None:
        """Looks at how it went since the last time. `lag_s` is by how much this look comes late.

        Where requests took long, and the process has not a moment to itself or the database none for all, fewer are
        taken on. It takes both: a request may also be slow because its sender is.

        To refuse costs time, too: where it is done very often, who asks again at once is listened to a little later,
        and never later than they were told to come back.
        """
        slow = self._served_s > SLOW_S * self._served
        self._settling_s = max(0.0, self._settling_s - elapsed_s)
        if lag_s <= LAG_S and not self._refused_within:
            self._limit = min(self._request_limit, self._limit * (GROW_CAREFULLY if slow else GROW))
        elif slow and not self._settling_s:
            self._limit = max(LEAST, min(self._limit, self._under_way) * SHRINK)
            self._settling_s = SETTLE_S
        self._served, self._served_s, self._refused_within = 0, 0.0, 0
        refused_per_s, self._refused = self._refused / elapsed_s, 0
        if refused_per_s > REFUSALS_PER_S:
            self.hold_s = min(HOLD_MOST_S, max(HOLD_LEAST_S, self.hold_s * HOLD_STEP))
        elif refused_per_s < REFUSALS_PER_S / HOLD_STEP**2:
            self.hold_s = self.hold_s / HOLD_STEP if self.hold_s > HOLD_LEAST_S else 0.0


class _Answered:
    """Stands for a request that was refused, where uvicorn looks for one that it began."""

    response_complete = True
    more_body = False
    keep_alive = True

    def __init__(self) -> None:
        self.message_event = asyncio.Event()


_ANSWERED = _Answered()


class _Joined:
    """A transport that sends in one piece what is written in one turn of the event loop: an answer's head and body."""

    __slots__ = ("_loop", "_parts", "_transport", "refuses")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.refuses = False  # whether the last answer is a 503
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        if data.startswith(_REFUSED):
            self.refuses = True

    def _flush(self) -> None:
        if self._parts and not self._transport.is_closing():
            self._transport.write(b"".join(self._parts))
        self._parts.clear()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """One connection. `with_load` makes the class for a process."""

    load: Load
    _surplus = False
    _address = ""  # of the other side
    _head_at: float | None = None  # when the head that is coming in began
    _head_bytes = 0
    _heard_at = 0.0
    _body_since: float | None = None  # when the body that is coming in began, or its pace was last looked at
    _body_bytes = 0
    _body_bytes_then = 0  # how much of it had come when its pace was last looked at
    _beside_bytes = 0  # of the same, what is not body: sizes of chunks, and what comes after the last
    _taken_bytes = 0  # of what has just come, body
    _head_ended = False  # in what has just come, so that it is not known how much of that is beside the body
    _stuck_at: float | None = None  # since when the other side has not taken what is sent

    @classmethod
    def with_load(cls, load: Load) -> type["Protocol"]:
        """The protocol for connections that share this load."""
        return type(cls.__name__, (cls,), {"load": load})

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._joined = _Joined(transport, self.loop)
        # When each request was admitted that has no answer yet; None for one that tells nothing of how busy we are.
        self._began_at: deque[float | None] = deque()
        self.transport = cast(asyncio.Transport, self._joined)
        peer = transport.get_extra_info("peername")
        self._address = peer[0] if isinstance(peer, tuple) else ""
        beyond = self.load.connect(self._address, len(self.connections))
        self._surplus = beyond > 0
        if beyond > SURPLUS:
            transport.abort()
            return
        idle_s = SURPLUS_IDLE_S if self._surplus else IDLE_S
        self.timeout_keep_alive_task = self.loop.call_later(idle_s, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.disconnect(self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        self._taken_bytes, self._head_ended = 0, False
        super().data_received(data)
        if self._body_since is not None and not self._head_ended:
            self._beside_bytes += len(data) - self._taken_bytes
            if self._beside_bytes > HEAD_LIMIT_BYTES + BESIDE_BODY * self._body_bytes:
                self._refuse_head("what comes beside the body exceeds")
        if self._head_at is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_LIMIT_BYTES:
            self._refuse_head("address and headers exceed")

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= PIPELINE_LIMIT:
            self.transport.abort()
            raise HttpParserError("too many requests before the first is answered")
        self._head_at, self._head_bytes = self._heard_at, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._body_since is None:  # what comes after a body is of no use to anybody
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._taken_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._body_since = None
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        self._head_at, self._head_ended = None, True
        self._body_since, self._body_bytes, self._beside_bytes = self._heard_at, 0, 0
        self._body_bytes_then = 0
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEAD_LIMIT_BYTES:
            self.cycle = cast(RequestResponseCycle, _ANSWERED)
            self._refuse_head("address and headers exceed")
            return
        last = self._last()
        if last is not None and not last.response_complete:
            self.app = self.load.serve_or_refuse
        elif self.url.partition(b"?")[0] in VITAL:
            self.app = self.load.app
        elif not self._surplus and self.load.admits():
            self.app = self.load.serve
        else:
            self._refuse_request()
            return
        began_at = self._heard_at if self.app != self.load.app else None
        begun = False
        try:
            super().on_headers_complete()  # which begins to serve, unless it stumbles over the address
            self._began_at.append(began_at)
            begun = True
        finally:
            if not begun and self.app == self.load.serve:
                self.load.release()
        if self._surplus:
            self.cycle.keep_alive = False

    def _refuse_request(self) -> None:
        """Answers a request for which there is no room, past all that serves requests. Its body is not looked at."""
        self.cycle = cast(RequestResponseCycle, _ANSWERED)
        stays = self.parser is not None and self.parser.should_keep_alive()
        ends = self._surplus or self.expect_100_continue or not stays
        self.load.refuse(self.transport, ends)
        self._hold()
        if ends:
            self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        began_at = self._began_at.popleft()
        if self._joined.refuses:
            self.load.note_refused()
            self._hold()
        elif began_at is not None:
            self.load.note_served(self.loop.time() - began_at)

    def _hold(self) -> None:
        """Lets this connection wait a little, after a refusal, if very many are refused."""
        self._joined.refuses = False
        if self.load.hold_s and not self.pipeline and not self.transport.is_closing():
            self.flow.pause_reading()
            self.loop.call_later(self.load.hold_s, self._listen_again)

    def _listen_again(self) -> None:
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def pause_writing(self) -> None:
        self._stuck_at = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck_at = None
        super().resume_writing()

    def end_if_stalled(self) -> None:
        """Closes the connection if the other side has stopped in the middle of a request or of an answer."""
        now = self.loop.time()
        if self._stuck_at is not None and now - self._stuck_at > IDLE_S:
            self.transport.abort()
        elif self._dawdles(now) or (not self._owes() and now - (self._head_at or self._heard_at or now) > IDLE_S):
            self.transport.close()

    def _dawdles(self, now: float) -> bool:
        """Whether a body comes in, a few bytes now and then. Its recent pace counts: a quick start excuses nothing."""
        if self._body_since is None:
            return False
        if self.flow.read_paused:  # it is for us to take more
            self._body_since, self._body_bytes_then = now, self._body_bytes
            return False
        elapsed_s = now - self._body_since
        if elapsed_s <= IDLE_S:
            return False
        came, self._body_bytes_then, self._body_since = self._body_bytes - self._body_bytes_then, self._body_bytes, now
        return came < BODY_LEAST_PER_S * elapsed_s

    def _owes(self) -> bool:
        """Whether it is for us to go on: with an answer, or with taking more of a request."""
        last = self._last()
        if last is None or last.response_complete or self._head_at is not None:
            return False
        return not last.more_body or self.flow.read_paused

    def _last(self) -> RequestResponseCycle | None:
        """The request that came last, with what became of it."""
        return self.cycle

    def _refuse_head(self, what: str) -> None:
        self._refuse("431 Request Header Fields Too Large", f"{what} {HEAD_LIMIT_BYTES:,} bytes")

    def send_400_response(self, msg: str) -> None:
        self._refuse("400 Bad Request", msg)

    def _refuse(self, status: str, message: str) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps({"status_code": int(status[:3]), "error": message})
        head = f"HTTP/1.1 {status}\r\n{_ALWAYS}content-length: {len(body)}\r\nconnection: close"
        self.transport.write(f"{head}\r\n\r\n{body}".encode())
        self.transport.close()
