"""Connections to a server process: uvicorn's protocol with limits on connections, silence and requests.

Requests above a limit are rejected at once, at little cost and in the API's error format, so that the others are served
as usual. Health checks are answered even then.
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

HEAD_LIMIT_BYTES = 65_536  # of a request's line and headers
BESIDE_BODY = 8  # additional bytes allowed per byte of the body, for chunk sizes, beyond the limit of the head
BODY_LEAST_PER_S = 1_000  # minimum pace of a body, averaged over the time that a connection may be silent
PIPELINE_LIMIT = 16  # requests sent on one connection before the first is answered
IDLE_S = 75  # maximum silence of a connection, between and within requests; proxies close theirs sooner
SURPLUS = 256  # connections above the limit that receive an error; further ones are closed without a response
SURPLUS_IDLE_S = 5
# Fewer requests are admitted while they take longer than this on average and the event loop runs late.
SLOW_S = 0.25
LAG_S = 0.05
LEAST = 32
SHRINK, SETTLE_S = 0.5, 0.5
GROW, GROW_CAREFULLY = 1.1, 1.02
# A higher rate of rejections takes too much time from other requests.
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
_REFUSED = b"HTTP/1.1 503 Service Unavailable\r\n"  # start of every such response
_REFUSAL = _REFUSED + _LINES + b"\r\n" + _BODY
_LAST_REFUSAL = _REFUSED + _LINES + b"connection: close\r\n\r\n" + _BODY


class Load:
    """The current load of a server process, and its limits, which are lower while requests take long."""

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
        self._settling_s = 0.0  # time until the last change shows an effect
        self._under_way = 0
        self._served = 0  # since the last adaptation
        self._served_s = 0.0  # total duration of those requests
        self._refused = 0  # since the last adaptation: here and by the application
        self._refused_within = 0  # of those, the ones by the application
        self._refusals = Refusals("requests")
        self.hold_s = 0.0  # how long a connection is not read after a rejected request

    def connect(self, address: str, connections: int) -> int:
        """Counts a connection. Returns by how many it exceeds the limits, overall or for its address."""
        beyond = connections - self.connection_limit
        if not address or self._proxies.trusts(address):  # a socket without an address, or the clients of a proxy
            return beyond
        self._by_address[address] += 1
        return max(beyond, self._by_address[address] - self._address_limit)

    def disconnect(self, address: str) -> None:
        """Removes a connection of this address."""
        if self._by_address[address] > 1:
            self._by_address[address] -= 1
        else:
            del self._by_address[address]

    def admits(self) -> bool:
        """Whether there is room for another request. If so, `serve` or `release` must be called."""
        if self._under_way >= self._limit:
            return False
        self._under_way += 1
        return True

    def release(self) -> None:
        """An admitted request turned out to be invalid."""
        self._under_way -= 1

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        """Runs the application for an admitted request. The request occupies no slot while more of it is awaited."""

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
        """Runs the application for a pipelined request whose turn has come, or rejects it."""
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
        """Counts a served request."""
        self._served += 1
        self._served_s += took_s

    def note_refused(self) -> None:
        """Counts an admitted request that was still answered with 503."""
        self._refused += 1
        self._refused_within += 1

    def adapt(self, elapsed_s: float, lag_s: float) -> None:
        """Adapts the limits to the time since the last call. `lag_s` is by how much this call is late.

        If requests took long, and either the process is busy all the time or the database is overloaded, fewer are
        admitted. Both conditions are needed, because a request may also be slow because of its sender.

        Rejections cost time, too: at a high rate, connections that retry at once are read a little later, though never
        later than they were told to retry.
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
    """Takes the place of the request cycle of a rejected request."""

    response_complete = True
    more_body = False
    keep_alive = True

    def __init__(self) -> None:
        self.message_event = asyncio.Event()


_ANSWERED = _Answered()


class _Joined:
    """A transport that sends everything written in one turn of the event loop as one piece: head and body of a
    response."""

    __slots__ = ("_loop", "_parts", "_transport", "refuses")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.refuses = False  # whether the last response is a 503
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
    """One connection. `with_load` creates the class for a process."""

    load: Load
    _surplus = False
    _address = ""  # of the peer
    _head_at: float | None = None  # when the arriving head started
    _head_bytes = 0
    _heard_at = 0.0
    _body_since: float | None = None  # when the arriving body started, or its pace was last checked
    _body_bytes = 0
    _body_bytes_then = 0  # bytes received when its pace was last checked
    _beside_bytes = 0  # bytes of it outside the body: chunk sizes and trailers
    _taken_bytes = 0  # bytes of the body in the data just received
    # whether the head ended in the data just received, so that bytes outside the body cannot be counted
    _head_ended = False
    _stuck_at: float | None = None  # since when the peer has not read what is sent

    @classmethod
    def with_load(cls, load: Load) -> type["Protocol"]:
        """Returns the protocol class for connections that share this load."""
        return type(cls.__name__, (cls,), {"load": load})

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._joined = _Joined(transport, self.loop)
        # When each unanswered request was admitted; None for requests that do not count as load.
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
        if self._body_since is None:  # trailers after a body are ignored
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
            super().on_headers_complete()  # starts the request, unless its target is invalid
            self._began_at.append(began_at)
            begun = True
        finally:
            if not begun and self.app == self.load.serve:
                self.load.release()
        if self._surplus:
            self.cycle.keep_alive = False

    def _refuse_request(self) -> None:
        """Rejects a request without starting the application. Its body is not read."""
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
        """Pauses reading after a rejection if the rate of rejections is very high."""
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
        """Closes the connection if the peer has stopped in the middle of a request or a response."""
        now = self.loop.time()
        if self._stuck_at is not None and now - self._stuck_at > IDLE_S:
            self.transport.abort()
        elif self._dawdles(now) or (not self._owes() and now - (self._head_at or self._heard_at or now) > IDLE_S):
            self.transport.close()

    def _dawdles(self, now: float) -> bool:
        """Whether a body arrives too slowly. Only its recent pace counts, not a fast start."""
        if self._body_since is None:
            return False
        if self.flow.read_paused:  # the application has paused reading
            self._body_since, self._body_bytes_then = now, self._body_bytes
            return False
        elapsed_s = now - self._body_since
        if elapsed_s <= IDLE_S:
            return False
        came, self._body_bytes_then, self._body_since = self._body_bytes - self._body_bytes_then, self._body_bytes, now
        return came < BODY_LEAST_PER_S * elapsed_s

    def _owes(self) -> bool:
        """Whether the server has to act next: to answer, or to read more of a request."""
        last = self._last()
        if last is None or last.response_complete or self._head_at is not None:
            return False
        return not last.more_body or self.flow.read_paused

    def _last(self) -> RequestResponseCycle | None:
        """Returns the latest request with its state."""
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
