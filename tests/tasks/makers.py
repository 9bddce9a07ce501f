"""Makes what many tests of tasks need."""

from typing import Any

from tests.world import World

ATTACHMENT = "https://example.com/dogs/1.jpg"
CATEGORIES = ["cat", "dog"]
CATEGORIZATION: dict[str, Any] = {"attachment": ATTACHMENT, "attachment_type": "image", "categories": CATEGORIES}


async def plain_project(world: World, name: str = "Album", **params: Any) -> str:
    """A project outside the Studio; its name."""
    params = {"categories": CATEGORIES, **params}
    await world.ana.post("/projects", {"name": name, "type": "categorization", "params": params})
    return name


async def batch_status(world: World, batch: str, **options: Any) -> dict[str, Any]:
    """The state of a batch, and the number of its tasks in each state."""
    return await world.ana.get(f"/batches/{batch}/status", **options)
