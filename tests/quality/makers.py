"""Short ways to tasks whose answer is known."""

from typing import Any

from tests.world import Person, World

KNOWN: dict[str, Any] = {"attachment": "https://example.com/k.jpg", "expected_response": {"category": "dog"}}


async def make_quality_task(world: World, kind: str, project: str = "Pets", **body: Any) -> str:
    """A training or evaluation task whose answer is "dog"; its id."""
    made = await world.ana.post(f"/{kind}_tasks/categorization", {"project": project, **KNOWN, **body})
    assert made["expected_response"] == {"category": "dog"}
    return made["id"]


async def change_settings(world: World, project: str = "Pets", **given: Any) -> None:
    await world.ana.post(f"/projects/{project}/quality", given)


async def list_pauses(world: World) -> list[tuple[str, str]]:
    """Who is paused, and why."""
    return [(each["labeler_email"], each["reason"]) for each in (await world.ana.get("/quality/pauses"))["docs"]]


async def lift_pause(world: World, person: Person, project: str = "Pets") -> None:
    """A while later, a manager lets the person begin anew."""
    world.clock.forward(minutes=1)
    await world.max.post("/quality/pauses/lift", {"project": project, "emails": [person.email]})
