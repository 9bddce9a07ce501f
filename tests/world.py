"""The people whom every test knows, with a running application and a clock that the test moves.

Ana (admin), Max (manager), Mia (member), Ben and Dee (labelers) are a team; Cid is another team's admin.
"""

from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from refonte_studio.config import Settings
from refonte_studio.db import Database, Reads, Tx
from refonte_studio.kit.caller import Mode, Role
from refonte_studio.kit.fair_queue import FairQueue
from refonte_studio.kit.ids import new_secret
from refonte_studio.kit.response_pacer import ResponsePacer
from refonte_studio.main import build
from refonte_studio.tasks.service import check_process
from refonte_studio.tasks.service.response_checks import Checks
from refonte_studio.teams import service as teams

START_MS = 1_770_000_000_000
BASE = "http://studio.test"
MODES: tuple[Mode, ...] = ("live", "test")
PEOPLE = {
    "ana": Role.ADMIN,
    "max": Role.MANAGER,
    "mia": Role.MEMBER,
    "ben": Role.LABELER,
    "dee": Role.LABELER,
}


class Clock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = START_MS

    def __call__(self) -> int:
        return self.now

    def forward(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        self.now += round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)


@dataclass
class Person:
    """A teammate with a live and a test key."""

    world: "World"
    name: str
    email: str
    team_id: str
    id: str
    keys: dict[Mode, str] = field(default_factory=dict)

    async def call(
        self, method: str, path: str, body: Any = None, *, mode: Mode = "live", **options: Any
    ) -> httpx.Response:
        """One call with this person's key; `body` goes as JSON. Paths begin after /v1."""
        if body is not None:
            options["json"] = body
        options.setdefault("headers", {})
        options["headers"] = {"Authorization": f"Bearer {self.keys[mode]}", **options["headers"]}
        return await self.world.http.request(method, f"/v1{path}", **options)

    async def get(self, path: str, *, mode: Mode = "live", **params: Any) -> Any:
        """The JSON of a GET that must succeed."""
        return ok(await self.call("GET", path, mode=mode, params=params))

    async def post(self, path: str, body: Any = None, *, mode: Mode = "live", **params: Any) -> Any:
        """The JSON of a POST that must succeed."""
        return ok(await self.call("POST", path, body, mode=mode, params=params))

    async def refused(self, status: int, method: str, path: str, body: Any = None, **options: Any) -> str:
        """The error of a call that must fail with this status."""
        response = await self.call(method, path, body, **options)
        assert response.status_code == status, (response.status_code, response.text)
        error = response.json()
        assert error["status_code"] == status
        return error["error"]


def ok(response: httpx.Response) -> Any:
    """The answer's JSON; fails with the answer if it is not a success."""
    assert response.status_code in (200, 204), (response.status_code, response.text)
    return response.json() if response.status_code == 200 else None


class World:
    """See the module. `http` speaks to the application in this process."""

    ana: Person
    max: Person
    mia: Person
    ben: Person
    dee: Person
    cid: Person

    def __init__(self, db: Database, clock: Clock, settings: Settings, replica: Reads | None = None) -> None:
        self.db = db
        self.clock = clock
        self.settings = settings
        self.waits: list[float] = []  # how long answers were held back, in seconds; nobody really waits
        pacer = ResponsePacer(clock=lambda: clock() / 1000, sleep=self._wait)
        self.turns = FairQueue(clock=lambda: clock() / 1000)
        self.checks = Checks(check_process.here, self.turns)  # processes apart have tests of their own
        services = {ResponsePacer: pacer, Checks: self.checks}
        self.app = build(db, settings, clock, services, replica=replica)
        self.http = self.client()

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def client(self, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """A fresh client, with no cookies, that calls from this address."""
        transport = httpx.ASGITransport(cast(Any, self.app), client=(address, 123))
        return httpx.AsyncClient(transport=transport, base_url=BASE)

    @classmethod
    async def make(cls, db: Database, clock: Clock, replica: Reads | None = None, **settings: Any) -> "World":
        """A world in an empty database, with both teams and their people."""
        world = cls(db, clock, Settings(**{"public_url": BASE, **settings}), replica)
        for person in await db.write(world.make_people):
            setattr(world, person.name, person)
        return world

    async def make_people(self, tx: Tx) -> list[Person]:
        """Both teams with their people, in one transaction, because every test waits for it."""
        team = await teams.create_team(tx, "Refonte", self.clock())
        other = await teams.create_team(tx, "Other", self.clock())
        people = [await self._make_person(tx, name, team.id, role) for name, role in PEOPLE.items()]
        return [*people, await self._make_person(tx, "cid", other.id, Role.ADMIN)]

    async def person(self, name: str, team_id: str, role: Role) -> Person:
        """A new active teammate with keys."""
        return await self.db.write(self._make_person, name, team_id, role)

    async def _make_person(self, tx: Tx, name: str, team_id: str, role: Role) -> Person:
        email = f"{name}@example.com"
        teammate_id = await teams.create_teammate(tx, team_id, email, role, self.clock())
        person = Person(self, name, email, team_id, teammate_id)
        for mode in MODES:
            _, person.keys[mode] = await teams.create_key(
                tx, team_id, teammate_id, mode, f"{name} {mode}", self.clock()
            )
        return person

    async def close(self) -> None:
        await self.http.aclose()


def unique(prefix: str) -> str:
    """A name that no other call gives."""
    return f"{prefix}-{new_secret()[:8]}"
