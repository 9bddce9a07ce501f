"""Makes the things that many tests need, through the API as Ana."""

from typing import Any

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Role
from tests.world import Person, World, ok

CATEGORIES = ["cat", "dog", "bird"]


async def project(
    world: World,
    name: str = "Pets",
    people: tuple[Person, ...] | None = None,
    wanted: int = 1,
    by: Person | None = None,
    **body: Any,
) -> str:
    """A Studio categorization project with Ben and Dee (or these people) assigned; its name."""
    maker = by or world.ana
    if wanted > 1:
        body |= {"pipeline": "consensus_task", "consensus_attempts": wanted}
    body = {"type": "categorization", "studio": True, "params": {"categories": CATEGORIES}, **body}
    await maker.post("/projects", {"name": name, **body})
    assigned = (world.ben, world.dee) if people is None else people
    if assigned:
        emails = [person.email for person in assigned]
        await maker.post("/studio/assignments/add", {"emails": emails, "projects": [name]})
    return name


async def task(world: World, project: str, batch: str | None = None, **body: Any) -> str:
    """A task; its id."""
    if batch is not None:
        body["batch"] = batch
    made = await world.ana.post(
        "/task/categorization", {"project": project, "attachment": "https://example.com/1.jpg", **body}
    )
    return made["task_id"]


async def batch(world: World, project: str, name: str = "Monday", tasks: int = 1, **body: Any) -> list[str]:
    """A finalized batch with `tasks` tasks; their ids, oldest first."""
    await world.ana.post("/batches", {"project": project, "name": name, **body})
    ids = [await task(world, project, name) for _ in range(tasks)]
    await world.ana.post(f"/batches/{name}/finalize")
    return ids


REAL_ID = "SELECT task_id FROM claims WHERE id = :id"


async def known_as(person: Person, task_id: str) -> str:
    """The id of a task that a labeler sees."""

    async def look(tx: Tx) -> str:
        row = await tx.one("SELECT alias_key FROM teams WHERE id = :id", id=person.team_id)
        assert row is not None, person
        return row["alias_key"]

    alias_key = await person.world.db.read(look)
    return Caller(person.team_id, person.id, person.email, Role.LABELER, "live", alias_key=alias_key).id_of(task_id)


async def real_id(world: World, claim_id: str) -> str:
    """The id of the task of a claim, which labelers do not see."""

    async def look(tx: Tx) -> str:
        row = await tx.one(REAL_ID, id=claim_id)
        assert row is not None, claim_id
        return row["task_id"]

    return await world.db.read(look)


async def claim(person: Person, **filters: Any) -> dict[str, Any] | None:
    """The claim that the person gets, or None, with the real id of the task, which labelers do not see."""
    given = ok(await person.call("POST", "/work/claim", filters or None))
    if given is not None:
        given["task"]["task_id"] = await real_id(person.world, given["claim_id"])
    return given


async def claim_task(person: Person, **filters: Any) -> str | None:
    """The real id of the task that the person claims, or None."""
    given = await claim(person, **filters)
    return given["task"]["task_id"] if given else None


async def answer(person: Person, category: str = "cat", **filters: Any) -> dict[str, Any]:
    """The person claims and submits the next task; the JSON of the submission, with the real id of the task."""
    given = await claim(person, **filters)
    assert given is not None, "there is nothing to do"
    done = await person.post(f"/work/{given['claim_id']}/submit", {"response": {"category": category}})
    return {**done, "task_id": given["task"]["task_id"]}
