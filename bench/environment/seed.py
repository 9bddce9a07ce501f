"""What a benchmark begins with: a team whose labelers have keys, and a project full of tasks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import httpx

from refonte_studio.db import Database, open_database
from refonte_studio.kit.caller import Role
from refonte_studio.kit.clock import system_clock
from refonte_studio.main import LISTENERS
from refonte_studio.teams import service as teams

CHUNK = 2_000  # lines sent at once
PROJECT = "Bench"
BATCH = "All"
TIMEOUT_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    email: str
    key: str


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    admin: Person
    labelers: Sequence[Person]

    @property
    def keys(self) -> list[str]:
        return [person.key for person in self.labelers]

    def client(self, url: str) -> httpx.Client:
        """The admin's."""
        return httpx.Client(base_url=f"{url}/v1", auth=(self.admin.key, ""), timeout=TIMEOUT_S)


async def make_team(database: str, labelers: int, name: str = "Bench") -> Team:
    """A new team in a database of the newest schema."""
    db = await open_database(database, LISTENERS)
    try:
        team = await db.write(teams.create_team, name, system_clock())
        admin = await _person(db, team.id, "ana@example.com", Role.ADMIN)
        people = [await _person(db, team.id, f"w{n}@example.com", Role.LABELER) for n in range(labelers)]
    finally:
        await db.close()
    return Team(team.id, admin, people)


async def _person(db: Database, team_id: str, email: str, role: Role) -> Person:
    teammate_id = await db.write(teams.create_teammate, team_id, email, role, system_clock())
    _, key = await db.write(teams.create_key, team_id, teammate_id, "live", "bench", system_clock())
    return Person(teammate_id, email, key)


def lines(count: int, first: int = 0) -> Iterator[bytes]:
    """So many tasks as an import takes them, in chunks."""
    for start in range(first, first + count, CHUNK):
        yield b"".join(
            b'{"attachment": "https://example.com/%d.jpg", "unique_id": "task-%d"}\n' % (n, n)
            for n in range(start, min(start + CHUNK, first + count))
        )


def post(http: httpx.Client, path: str, **options: object) -> httpx.Response:
    """A call that must succeed."""
    answer = http.post(path, **options)  # type: ignore[arg-type]
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}: {answer.text}")
    return answer


def make_project(http: httpx.Client, labelers: Sequence[Person], **more: object) -> None:
    """The project, with everybody assigned to it."""
    body = {"name": PROJECT, "type": "categorization", "studio": True, "params": {"categories": ["a", "b"]}, **more}
    post(http, "/projects", json=body)
    if labelers:
        emails = [person.email for person in labelers]
        post(http, "/studio/assignments/add", json={"emails": emails, "projects": [PROJECT]})


def make_batch(http: httpx.Client, tasks: int, name: str = BATCH, first: int = 0) -> None:
    """A finalized batch of so many tasks."""
    post(http, "/batches", json={"project": PROJECT, "name": name})
    answer = post(http, "/tasks/import", params={"project": PROJECT, "batch": name}, content=lines(tasks, first))
    if answer.json() != {"created": tasks}:
        raise SystemExit(f"an import of {tasks} tasks answered {answer.text}")
    post(http, f"/batches/{name}/finalize")
