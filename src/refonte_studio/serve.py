"""One server process: the database, opened before and closed after uvicorn, in one event loop."""

import asyncio
import json
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from refonte_studio.config import Settings
from refonte_studio.db import Database, open_database
from refonte_studio.main import LISTENERS, build
from refonte_studio.worker import background

BACKLOG = 2_048
HEAD_LIMIT_BYTES = 65_536  # of a request's address and headers
IDLE_S = 75  # how long a connection may be silent between requests; proxies give up theirs sooner
GRACE_S = 30  # what a request in flight gets to finish when the server ends

Ready = Callable[[Database], Awaitable[None]]


def listen(settings: Settings) -> socket.socket:
    """The socket that requests come in by. Raises OSError if the address is taken or not this machine's."""
    family, *_, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setblocking(False)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def run(settings: Settings, listener: socket.socket, ready: Ready, lifeline: int | None = None) -> None:
    """Serves until SIGTERM or SIGINT; then requests in flight finish and the database closes.

    `ready` is called when requests are accepted. When `lifeline`, the reading end of a pipe, comes to its end, the
    process that started this one is gone, and this one ends too.
    """
    log_to_stderr()
    with asyncio.Runner(loop_factory=_event_loop()) as runner:
        runner.run(_serve(settings, listener, ready, lifeline))


def log_to_stderr() -> None:
    """What happens here goes to standard error; of the libraries, only what is wrong."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("refonte_studio").setLevel(logging.INFO)
    logging.getLogger("asyncpg").setLevel(logging.ERROR)  # what it warns of while it retries is ours to report


def _event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def _serve(settings: Settings, listener: socket.socket, ready: Ready, lifeline: int | None) -> None:
    db = await open_database(settings.database_url, LISTENERS, settings.pool_size)
    try:
        app = build(db, settings, background=background)
        server = _Server(_uvicorn(app), lambda: ready(db))
        if lifeline is not None:
            asyncio.get_running_loop().add_reader(lifeline, server.end)
        # uvicorn ends by raising the signal that it caught; by then it has nothing more to do
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda *_: server.end())
        await server.serve(sockets=[listener])
    finally:
        await db.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await self._ready()

    def end(self) -> None:
        """Stops accepting; `serve` returns when the requests in flight are done."""
        self.should_exit = True


def _uvicorn(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=GRACE_S,
    )


class _Protocol(HttpToolsProtocol):
    """uvicorn's, with bounds on silence and on what comes before a request's body, and its refusals in our form."""

    _in_head = True
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(IDLE_S, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_LIMIT_BYTES and not self.transport.is_closing():
            self._refuse(
                "431 Request Header Fields Too Large", f"address and headers exceed {HEAD_LIMIT_BYTES:,} bytes"
            )

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse("400 Bad Request", msg)

    def _refuse(self, status: str, message: str) -> None:
        body = json.dumps({"status_code": int(status[:3]), "error": message})
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(f"{head}connection: close\r\n\r\n{body}".encode())
        self.transport.close()
