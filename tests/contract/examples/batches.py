"""Example calls of batches and the queue."""

from tests.contract.examples.makers import batch, group, name, project
from tests.contract.examples.requests import Request, example
from tests.world import Person, World


@example
async def create_batch(world: World, person: Person) -> Request:
    return Request(params={"project": await project(world), "name": name("Monday")})


@example
async def list_batches(world: World, person: Person) -> Request:
    made = await project(world)
    await batch(world, made)
    return Request(params={"project": made})


@example
async def get_batch(world: World, person: Person) -> Request:
    return Request({"name": await batch(world, await project(world))})


@example
async def get_batch_status(world: World, person: Person) -> Request:
    return await get_batch(world, person)


@example
async def finalize_batch(world: World, person: Person) -> Request:
    return Request({"name": await batch(world, await project(world), finalized=False)})


@example
async def set_batch_metadata(world: World, person: Person) -> Request:
    return Request({"name": await batch(world, await project(world))}, {"source": "album 3"})


@example
async def prioritize_batch(world: World, person: Person) -> Request:
    return Request({"name": await batch(world, await project(world))}, {"priority": 1})


@example
async def list_studio_batches(world: World, person: Person) -> Request:
    made = await project(world)
    await batch(world, made)
    return Request(params={"project": made})


@example
async def assign_studio_batch(world: World, person: Person) -> Request:
    made = await project(world, world.ben)
    return Request({"batch": await batch(world, made)}, {"groups": [await group(world, made), world.ben.email]})


@example
async def set_studio_priorities(world: World, person: Person) -> Request:
    made = await project(world)
    return Request(params={"batches": [{"name": await batch(world, made)}, await batch(world, made)]})


@example
async def reset_studio_priorities(world: World, person: Person) -> Request:
    await batch(world, await project(world))
    return Request()


@example
async def send_tasks_to_completed(world: World, person: Person) -> Request:
    made = await project(world)
    return Request({"projectName": made}, {"batches": [await batch(world, made)]})
