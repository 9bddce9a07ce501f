"""What a benchmark begins with: a team whose labelers have keys, and projects full of tasks, made through the API."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

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
        """The keys of the labelers."""
        return [person.key for person in self.labelers]

    def client(self, url: str, timeout_s: float = TIMEOUT_S) -> httpx.Client:
        """A client with the admin's key."""
        return httpx.Client(base_url=f"{url}/v1", auth=(self.admin.key, ""), timeout=timeout_s)


async def make_team(database: str, labelers: int, name: str = "Bench") -> Team:
    """A new team, made through the services, in a database of the newest schema."""
    db = await open_database(database, LISTENERS)
    try:
        team = await db.write(teams.create_team, name, system_clock())
        admin = await _make_person(db, team.id, "ana@example.com", Role.ADMIN)
        people = [await _make_person(db, team.id, f"w{n}@example.com", Role.LABELER) for n in range(labelers)]
    finally:
        await db.close()
    return Team(team.id, admin, people)


async def _make_person(db: Database, team_id: str, email: str, role: Role) -> Person:
    teammate_id = await db.write(teams.create_teammate, team_id, email, role, system_clock())
    _, key = await db.write(teams.create_key, team_id, teammate_id, "live", "bench", system_clock())
    return Person(teammate_id, email, key)


def post(http: httpx.Client, path: str, **options: Any) -> httpx.Response:
    """A call that must succeed: raises SystemExit if its status is not 200."""
    answer = http.post(path, **options)
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}: {answer.text}")
    return answer


def make_project(http: httpx.Client, labelers: Sequence[Person], name: str = PROJECT, **more: object) -> None:
    """A Studio project of the type categorization to which these labelers are assigned."""
    categorization = {"type": "categorization", "params": {"categories": ["a", "b"]}}
    post(http, "/projects", json={"name": name, "studio": True, **categorization, **more})
    if labelers:
        assign(http, labelers, name)


def assign(http: httpx.Client, labelers: Sequence[Person], project: str = PROJECT) -> None:
    emails = [person.email for person in labelers]
    post(http, "/studio/assignments/add", json={"emails": emails, "projects": [project]})


def make_batch(http: httpx.Client, tasks: int, name: str = BATCH, first: int = 0, project: str = PROJECT) -> None:
    """A finalized batch of `tasks` tasks, numbered from `first`."""
    post(http, "/batches", json={"project": project, "name": name})
    import_tasks(http, tasks, name, first, project)
    post(http, f"/batches/{name}/finalize")


def import_tasks(http: httpx.Client, tasks: int, batch: str = BATCH, first: int = 0, project: str = PROJECT) -> None:
    """Imports `tasks` tasks, numbered from `first`, into a batch that exists."""
    content = task_lines(tasks, first)
    answer = post(http, "/tasks/import", params={"project": project, "batch": batch}, content=content)
    if answer.json() != {"created": tasks}:
        raise SystemExit(f"an import of {tasks} tasks answered {answer.text}")


def task_lines(count: int, first: int = 0) -> Iterator[bytes]:
    """`count` tasks as NDJSON, numbered from `first`, in chunks of at most `CHUNK` lines."""
    for start in range(first, first + count, CHUNK):
        yield b"".join(
            b'{"attachment": "https://example.com/%d.jpg", "unique_id": "task-%d"}\n' % (n, n)
            for n in range(start, min(start + CHUNK, first + count))
        )
