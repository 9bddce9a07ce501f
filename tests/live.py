"""A real server: uvicorn on a loopback port, in a thread with an event loop and a database of its own.

For what speaks real HTTP: the published SDK, the examples, a browser. A folder of tests has the fixtures by importing
them into its conftest. One server serves all of its tests of an engine; each test has a team of its own there
(`live_team`), so that none sees another's doings.
"""

import asyncio
import secrets
import shutil
import socket
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import uvicorn

from refonte_studio.db import open_database
from refonte_studio.db.migrate import migrate
from refonte_studio.main import LISTENERS
from refonte_studio.teams import service as teams
from tests.conftest import ENGINES
from tests.world import PEOPLE, Clock, Person, World, unique

START_S = 30  # how long a server may take to come up, and to go down
CALL_S = 30

T = TypeVar("T")


@dataclass(frozen=True)
class LiveTeam:
    """A team on a live server, with the people that every test knows."""

    server: "LiveServer"
    ana: Person
    max: Person
    mia: Person
    ben: Person
    dee: Person


class _Server(uvicorn.Server):
    """Says when it is ready, so that nobody has to poll."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()


class LiveServer:
    """The application on `url`, with a clock that the test moves."""

    world: World

    def __init__(self, database_url: str, **settings: Any) -> None:
        self.clock = Clock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._database_url = database_url
        self._settings = {"public_url": self.url, **settings}
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="live-server", daemon=True)

    def start(self) -> None:
        self._thread.start()
        up = self._ready.wait(START_S)
        if self._failure is not None:
            raise self._failure
        assert up, f"the server was not ready after {START_S} s"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(START_S)
        assert not self._thread.is_alive(), f"the server was not down after {START_S} s"
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        # a database answers to the loop that it was opened in
        database = await open_database(self._database_url, LISTENERS)
        try:
            self.world = await World.make(database, self.clock, **self._settings)
            config = uvicorn.Config(self.world.app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
            self._server = _Server(config, self._ready)
            await self._server.serve([self._socket])
            await self.world.close()
        finally:
            await database.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs something in the server's own loop and answers with its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_S)

    def team(self) -> LiveTeam:
        """A new team, with an admin, a manager, a member and two labelers."""
        return self.run(self._team())

    async def _team(self) -> LiveTeam:
        team = await self.world.db.write(teams.create_team, unique("Team"), self.clock())
        people = {name: await self.world.person(name, team.id, role) for name, role in PEOPLE.items()}
        return LiveTeam(self, **people)


async def _new_postgres_database(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


def _database_of_its_own(engine: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """Not the one that other tests empty."""
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "studio.db")
        return f"sqlite:///{folder / 'studio.db'}"
    url: str = request.getfixturevalue("postgres_url")
    name = f"live_{secrets.token_hex(6)}"
    asyncio.run(_new_postgres_database(url, name))
    own = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    migrate(own)
    return own


@pytest.fixture(scope="session", params=ENGINES)
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The server of an engine. Callbacks and imports may reach this machine."""
    folder = tmp_path_factory.mktemp("live")
    url = _database_of_its_own(request.param, request, folder)
    server = LiveServer(url, data=str(folder), internal_hosts="127.0.0.1")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def live_team(live: LiveServer) -> LiveTeam:
    """A new team on the live server."""
    return live.team()
