"""Makes work that takes time, through the API."""

from typing import Any

from tests import makers
from tests.world import Person, World


async def claim_and_submit(
    world: World, person: Person, category: str = "cat", seconds: float = 10, **filters: Any
) -> str:
    """The person claims the next task and submits it after `seconds`; the task's id."""
    given = await makers.claim(person, **filters)
    assert given is not None, "there is nothing to do"
    world.clock.forward(seconds=seconds)
    await person.post(f"/work/{given['claim_id']}/submit", {"response": {"category": category}})
    return given["task"]["task_id"]


async def only_row(world: World, of: str, **filters: Any) -> dict[str, Any]:
    """The only row of these figures."""
    [found] = (await world.mia.get(f"/insight/{of}", **filters))["docs"]
    return found
