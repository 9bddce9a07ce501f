"""Example calls of tasks."""

from tests.contract.examples.makers import batch, claimed, name, project, task
from tests.contract.examples.requests import Request, example, variant
from tests.makers import real_id
from tests.world import Person, World


@example
async def create_task(world: World, person: Person) -> Request:
    params = {"attachment": "https://x.example/1", "categories": ["cat", "dog"], "metadata": {"a": 1}, "tags": ["x"]}
    return Request({"type": "categorization"}, params)


@example
async def get_task(world: World, person: Person) -> Request:
    return Request({"id": await task(world, metadata={"a": 1}, tags=["x"])})


@example
async def cancel_task(world: World, person: Person) -> Request:
    return Request({"id": await task(world)})


@example
async def audit_task(world: World, person: Person) -> Request:
    made = await project(world, world.ben)
    of = await batch(world, made)
    given = await world.ben.post("/work/claim", {"batch": of})
    await world.ben.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}})
    return Request({"id": await real_id(world, given["claim_id"])}, {"accepted": True, "comments": "well done"})


@example
async def send_task_callback(world: World, person: Person) -> Request:
    told = await task(world, callback_url="https://x.example/hook")
    await world.ana.post(f"/task/{told}/cancel")
    return Request({"id": told})


@example
async def send_task_callback_too(world: World, person: Person) -> Request:
    return await send_task_callback(world, person)


@example
async def set_task_unique_id(world: World, person: Person) -> Request:
    return Request({"id": await task(world)}, {"unique_id": name("mine")})


@example
async def clear_task_unique_id(world: World, person: Person) -> Request:
    return Request({"id": await task(world, unique_id=name("mine"))})


@example
async def set_task_metadata(world: World, person: Person) -> Request:
    return Request({"id": await task(world)}, {"source": "album 3"})


@example
async def set_task_tags(world: World, person: Person) -> Request:
    return Request({"id": await task(world)}, {"tags": ["x", "y"]})


@example
async def add_task_tags(world: World, person: Person) -> Request:
    return Request({"id": await task(world, tags=["x"])}, {"tags": ["y"]})


@example
async def remove_task_tags(world: World, person: Person) -> Request:
    return Request({"id": await task(world, tags=["x"])}, {"tags": ["x"]})


@example
async def list_tasks(world: World, person: Person) -> Request:
    made = await project(world)
    await task(world, project=made)
    return Request(params={"project": made, "status": "pending"})


@variant("list_tasks")
async def list_tasks_of_a_claim(world: World, person: Person) -> Request:
    return Request(params={"claim_id": await claimed(world, world.ben)})


@example
async def export_tasks(world: World, person: Person) -> Request:
    made = await project(world)
    await task(world, project=made)
    return Request(params={"project": made, "attempts": True})
