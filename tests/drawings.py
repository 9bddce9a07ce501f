"""Makes projects of image annotation, and responses of any size."""

from typing import Any

from tests.makers import project
from tests.world import Person, World

TYPE = "imageannotation"
ATTACHMENT = "https://example.com/1.jpg"


async def drawn(world: World, *, wanted: int = 1, people: tuple[Person, ...] | None = None, **body: Any) -> str:
    """A project of boxes; its name."""
    params = {"geometries": {"box": {"objects_to_annotate": ["car"]}}}
    return await project(world, "Streets", people, wanted, type=TYPE, params=params, **body)


async def drawn_batch(world: World, name: str = "Monday", tasks: int = 1) -> list[str]:
    """A finalized batch of that project; the ids of its tasks."""
    await world.ana.post("/batches", {"project": "Streets", "name": name})
    made = [
        await world.ana.post(f"/task/{TYPE}", {"project": "Streets", "batch": name, "attachment": ATTACHMENT})
        for _ in range(tasks)
    ]
    await world.ana.post(f"/batches/{name}/finalize")
    return [each["task_id"] for each in made]


def boxes(count: int, shift: float = 0, label: str = "car") -> dict[str, Any]:
    """A response with so many boxes, each in a place of its own; 400 make a large one."""
    return {
        "annotations": [
            {
                "uuid": f"b{n}",
                "label": label,
                "type": "box",
                "left": 20 * (n % 100) + shift,
                "top": 20 * (n // 100) + shift,
                "width": 10,
                "height": 10,
            }
            for n in range(count)
        ]
    }
