"""Makes projects with reviews, tasks that await a review, and decisions of reviewers."""

from typing import Any

from tests import makers
from tests.world import Person, World, ok


async def project(
    world: World, *reviewers: Person, name: str = "Pets", levels: int = 1, wanted: int = 1, **quality: Any
) -> str:
    """A project of Ben and Dee's whose tasks are reviewed, by Mia and Max unless others are named; its name."""
    await makers.project(world, name, wanted=wanted)
    await world.ana.post(f"/projects/{name}/quality", {"review_levels": levels, **quality})
    emails = [person.email for person in reviewers or (world.mia, world.max)]
    await world.ana.post(f"/projects/{name}/reviewers/add", {"emails": emails})
    return name


async def waiting(world: World, **settings: Any) -> str:
    """The id of a task that Ben has submitted and that awaits its review; its batch has another open task."""
    name = await project(world, **settings)
    first, _ = await makers.batch(world, name, tasks=2)
    await makers.answer(world.ben, "dog")
    return first


async def claim(person: Person, **filters: Any) -> dict[str, Any] | None:
    """The review that the person claims, or None."""
    return ok(await person.call("POST", "/reviews/claim", filters or None))


async def decide(person: Person, how: str, **body: Any) -> dict[str, Any]:
    """The person claims the next review and decides; the JSON of the decision."""
    given = await claim(person)
    assert given is not None, "there is nothing to review"
    return await person.post(f"/reviews/{given['review_id']}/{how}", body)
