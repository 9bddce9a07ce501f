"""One server process: opens the database, runs uvicorn in one event loop, and closes the database."""

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
GRACE_S = 30  # time that a request in flight has when the server ends
TICK_S = 0.1  # uvicorn's interval
STALLS_TICKS = 50  # between checks for stalled connections
OTHER_FILES = 512  # open files of a process other than connections: database, mails, callbacks

log = logging.getLogger(__name__)

Ready = Callable[[Database], Awaitable[None]]


def listen(settings: Settings) -> socket.socket:
    """Returns the listening socket. Raises OSError if the address is in use or does not belong to this machine."""
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
    """Serves until SIGTERM or SIGINT; then completes requests in flight and closes the database.

    Calls `ready` once requests are accepted. `lifeline` is the reading end of a pipe; when it closes, the parent
    process is gone, and this process ends too.
    """
    log_to_stderr()
    listener.set_inheritable(False)  # child processes must not keep the address after this process ends
    with asyncio.Runner(loop_factory=_event_loop()) as runner:
        runner.run(_serve(settings, listener, ready, lifeline))


def log_to_stderr() -> None:
    """Sends the application's log to standard error; from libraries, only warnings and errors."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("refonte_studio").setLevel(logging.INFO)
    logging.getLogger("asyncpg").setLevel(logging.ERROR)  # its warnings during retries are reported by this application


class _Redacting(logging.Formatter):
    """Hides the user information of URLs, including in tracebacks."""

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
        # uvicorn ends by raising the signal it received, with nothing left to do
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda *_: server.end())
        _spare_collections()
        await server.serve(sockets=[listener])
    finally:
        if replica is not None:
            await replica.close()
        await db.close()


def _spare_collections() -> None:
    """Excludes everything loaded at the start from garbage collection."""
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
        """The lifeline has closed, so the parent process is gone."""
        asyncio.get_running_loop().remove_reader(lifeline)
        self.end()

    def end(self) -> None:
        """Stops accepting connections; `serve` returns when requests in flight are complete."""
        self.should_exit = True


def _connection_limit(settings: Settings) -> int:
    """Returns the configured connection limit, reduced to what the system allows a process."""
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
