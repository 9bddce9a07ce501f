"""Makes training and evaluation tasks, and changes what belongs to them."""

from typing import Any

from tests.world import Person, World

EXPECTED_DOG: dict[str, Any] = {"attachment": "https://example.com/k.jpg", "expected_response": {"category": "dog"}}


async def make_quality_task(world: World, kind: str, project: str = "Pets", **body: Any) -> str:
    """Makes a training or evaluation task whose expected response is "dog"; its id."""
    made = await world.ana.post(f"/{kind}_tasks/categorization", {"project": project, **EXPECTED_DOG, **body})
    assert made["expected_response"] == {"category": "dog"}
    return made["id"]


async def change_settings(world: World, project: str = "Pets", **changes: Any) -> None:
    await world.ana.post(f"/projects/{project}/quality", changes)


async def list_pauses(world: World) -> list[tuple[str, str]]:
    """The paused labelers, with the reasons."""
    return [(each["labeler_email"], each["reason"]) for each in (await world.ana.get("/quality/pauses"))["docs"]]


async def lift_pause(world: World, person: Person, project: str = "Pets") -> None:
    """A minute later, a manager lets the person start again."""
    world.clock.forward(minutes=1)
    await world.max.post("/quality/pauses/lift", {"project": project, "emails": [person.email]})
