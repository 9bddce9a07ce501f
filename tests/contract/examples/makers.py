"""The things that examples need, made through the API."""

from itertools import count
from typing import Any
from urllib.parse import quote

from refonte_studio.kit.caller import Role
from tests.world import Person, World

PASSWORD = "correct horse battery"
NUMBERS = count(1)


def name(what: str) -> str:
    """A new name with characters that must be percent-encoded in a path."""
    return f"{what} / Köter 100% № {next(NUMBERS)}"


async def project(world: World, *people: Person, **body: Any) -> str:
    """A Studio project with these people assigned; its name."""
    made = name("Dogs")
    body = {"type": "categorization", "studio": True, "params": {"categories": ["cat", "dog"]}, **body}
    await world.ana.post("/projects", {"name": made, **body})
    if people:
        emails = [person.email for person in people]
        await world.ana.post("/studio/assignments/add", {"emails": emails, "projects": [made]})
    return made


async def batch(world: World, of: str, finalized: bool = True, tasks: int = 1) -> str:
    """A batch of a project; its name."""
    made = name("Monday")
    await world.ana.post("/batches", {"project": of, "name": made})
    for _ in range(tasks):
        await world.ana.post(
            "/task/categorization", {"project": of, "batch": made, "attachment": "https://x.example/1"}
        )
    if finalized:
        await world.ana.post(f"/batches/{quote(made, safe='')}/finalize")
    return made


async def group(world: World, of: str) -> str:
    """A group of a project, with Ben in it; its name."""
    made = name("experts")
    path = f"/studio/projects/{quote(of, safe='')}/groups"
    await world.ana.post(path, {"name": made, "emails": [world.ben.email]})
    return made


async def task(world: World, **body: Any) -> str:
    """A task; its id."""
    body = {"attachment": "https://x.example/1", "categories": ["cat", "dog"], **body}
    return (await world.ana.post("/task/categorization", body))["task_id"]


async def claimed(world: World, person: Person) -> str:
    """The id of a claim that the person holds."""
    await batch(world, await project(world, person))
    return (await person.post("/work/claim"))["claim_id"]


async def somebody(world: World) -> Person:
    """A new labeler."""
    return await world.person(f"eve{next(NUMBERS)}", world.ana.team_id, Role.LABELER)
