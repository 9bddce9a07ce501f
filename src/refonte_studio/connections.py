"""Connections to a server process: uvicorn's protocol, with bounds on their number, their silence and their requests.

What is beyond a bound is refused in our form, at once and at little cost, so that the rest is served as ever. Whether
the server lives and is ready is answered even then.
"""

import asyncio
import json
from typing import Any, cast

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from refonte_studio.kit.admission import Refusals
from refonte_studio.kit.errors import Overloaded

HEAD_LIMIT_BYTES = 65_536  # of a request's address and headers
PIPELINE_LIMIT = 16  # requests sent on one connection before the first is answered
IDLE_S = 75  # how long a connection may be silent, between requests and within one; proxies give up theirs sooner
SURPLUS = 256  # connections beyond the limit that are told so; those beyond them are closed without a word
SURPLUS_IDLE_S = 5
VITAL = (b"/healthz", b"/readyz")

_OVERLOADED = Overloaded("requests")
_BODY = json.dumps({"status_code": 503, "error": _OVERLOADED.message}).encode()
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(_BODY)),
    (b"retry-after", _OVERLOADED.headers["Retry-After"].encode()),
]


class Load:
    """What a server process has taken on, and the most that it takes."""

    def __init__(self, app: Any, connection_limit: int, request_limit: int) -> None:
        self.app = app
        self.connection_limit = connection_limit
        self._request_limit = request_limit
        self._under_way = 0
        self._refusals = Refusals("requests")

    def admit(self) -> Any:
        """The application for one more request, which must be called; it refuses where there are too many."""
        if self._under_way >= self._request_limit:
            return self.refuse
        self._under_way += 1
        return self._serve

    async def admit_late(self, scope: Any, receive: Any, send: Any) -> None:
        """The same for a request whose turn is yet to come, or never will."""
        await self.admit()(scope, receive, send)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            self._under_way -= 1

    async def refuse(self, _scope: Any, _receive: Any, send: Any) -> None:
        """Answers that there is too much to do."""
        self._refusals.add()
        await send({"type": "http.response.start", "status": 503, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _BODY, "more_body": False})


class _Joined:
    """A transport that sends in one piece what is written in one turn of the event loop: an answer's head and body."""

    __slots__ = ("_loop", "_parts", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def _flush(self) -> None:
        if self._parts:
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
    _head_at: float | None = None  # when the head that is coming in began
    _head_bytes = 0
    _heard_at = 0.0
    _stuck_at: float | None = None  # since when the other side has not taken what is sent

    @classmethod
    def with_load(cls, load: Load) -> type["Protocol"]:
        """The protocol for connections that share this load."""
        return type(cls.__name__, (cls,), {"load": load})

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.transport = cast(asyncio.Transport, _Joined(transport, self.loop))
        beyond = len(self.connections) - self.load.connection_limit
        self._surplus = beyond > 0
        if beyond > SURPLUS:
            transport.abort()
            return
        idle_s = SURPLUS_IDLE_S if self._surplus else IDLE_S
        self.timeout_keep_alive_task = self.loop.call_later(idle_s, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        super().data_received(data)
        if self._head_at is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_LIMIT_BYTES:
            self._refuse(
                "431 Request Header Fields Too Large", f"address and headers exceed {HEAD_LIMIT_BYTES:,} bytes"
            )

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= PIPELINE_LIMIT:
            self.transport.abort()
            raise HttpParserError("too many requests before the first is answered")
        self._head_at, self._head_bytes = self._heard_at, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_at = None
        if self.url.partition(b"?")[0] in VITAL:
            self.app = self.load.app
        elif self._surplus:
            self.app = self.load.refuse
        elif (last := self._last()) is None or last.response_complete:
            self.app = self.load.admit()
        else:
            self.app = self.load.admit_late
        super().on_headers_complete()
        if self._surplus:
            self.cycle.keep_alive = False

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
        elif not self._owes() and now - (self._head_at or self._heard_at or now) > IDLE_S:
            self.transport.close()

    def _owes(self) -> bool:
        """Whether it is for us to go on: with an answer, or with taking more of a request."""
        last = self._last()
        if last is None or last.response_complete or self._head_at is not None:
            return False
        return not last.more_body or self.flow.read_paused

    def _last(self) -> RequestResponseCycle | None:
        """The request that came last, with what became of it."""
        return self.cycle

    def send_400_response(self, msg: str) -> None:
        self._refuse("400 Bad Request", msg)

    def _refuse(self, status: str, message: str) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps({"status_code": int(status[:3]), "error": message})
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(f"{head}connection: close\r\n\r\n{body}".encode())
        self.transport.close()
