"""What the tests of tasks create again and again."""

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
    """A batch's state, and how many tasks it has in each."""
    return await world.ana.get(f"/batches/{batch}/status", **options)
