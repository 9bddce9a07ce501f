"""One server process: the database, opened before and closed after uvicorn, in one event loop."""

import asyncio
import gc
import logging
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from refonte_studio.config import Settings
from refonte_studio.db import Database, open_database
from refonte_studio.db.replica import Replica, open_replica
from refonte_studio.kit.clients import TrustedProxies
from refonte_studio.kit.redaction import redacted
from refonte_studio.main import LISTENERS, build
from refonte_studio.server.background import background
from refonte_studio.server.protocol import IDLE_S, SURPLUS, Load, Protocol

BACKLOG = 2_048
GRACE_S = 30  # what a request in flight gets to finish when the server ends
TICK_S = 0.1  # uvicorn's
STALLS_TICKS = 50  # between looks for connections that have stalled
OTHER_FILES = 512  # open files of a process beside its connections: the database's, mails, callbacks

log = logging.getLogger(__name__)

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
    listener.set_inheritable(False)  # what is started from here does not keep the address when this process is gone
    with asyncio.Runner(loop_factory=_event_loop()) as runner:
        runner.run(_serve(settings, listener, ready, lifeline))


def log_to_stderr() -> None:
    """What happens here goes to standard error; of the libraries, only what is wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("refonte_studio").setLevel(logging.INFO)
    logging.getLogger("asyncpg").setLevel(logging.ERROR)  # what it warns of while it retries is ours to report


class _Redacting(logging.Formatter):
    """Hides the user information of URLs, in tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def _event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def _serve(settings: Settings, listener: socket.socket, ready: Ready, lifeline: int | None) -> None:
    db = await open_database(settings.database_url, LISTENERS, settings.pool_size)
    replica: Replica | None = None
    try:
        if settings.replica:
            replica = await open_replica(settings.replica, db, settings.pool_size)
        app = build(db, settings, background=background, replica=replica)
        proxies = TrustedProxies.of(settings.trusted_proxies)
        load = Load(
            app, _connection_limit(settings), settings.request_limit, settings.address_connection_limit, proxies
        )
        server = _Server(_uvicorn(app, load), load, lambda: ready(db))
        if lifeline is not None:
            asyncio.get_running_loop().add_reader(lifeline, server.end_with, lifeline)
        # uvicorn ends by raising the signal that it caught; by then it has nothing more to do
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda *_: server.end())
        _spare_collections()
        await server.serve(sockets=[listener])
    finally:
        if replica is not None:
            await replica.close()
        await db.close()


def _spare_collections() -> None:
    """Has Python look for cycles of garbage no more among all that was loaded at the start, and stays."""
    gc.collect()
    gc.freeze()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, load: Load, ready: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._load = load
        self._ready = ready
        self._ticked_at = time.monotonic()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        ready = False
        try:
            await self._ready()
            ready = True
        finally:
            if not ready:
                await self.shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        now = time.monotonic()
        elapsed_s = max(TICK_S, now - self._ticked_at)
        self._load.adapt(elapsed_s, elapsed_s - TICK_S)
        self._ticked_at = now
        if counter % STALLS_TICKS == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, Protocol):
                    connection.end_if_stalled()
        return await super().on_tick(counter)

    def end_with(self, lifeline: int) -> None:
        """The lifeline has come to its end, where it would stay for good."""
        asyncio.get_running_loop().remove_reader(lifeline)
        self.end()

    def end(self) -> None:
        """Stops accepting; `serve` returns when the requests in flight are done."""
        self.should_exit = True


def _connection_limit(settings: Settings) -> int:
    """As many connections as the settings want, or as the system lets a process have."""
    if sys.platform == "win32":
        return settings.connection_limit
    import resource

    wanted = settings.connection_limit + SURPLUS + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft >= wanted:
        return settings.connection_limit
    fewer = max(1, soft - SURPLUS - OTHER_FILES)
    log.warning("the system allows %d open files, so at most %d connections are served", soft, fewer)
    return fewer


def _uvicorn(app: Any, load: Load) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol.with_load(load),
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
