"""Example calls of callbacks."""

from tests.contract.examples.makers import task
from tests.contract.examples.requests import Request, example
from tests.world import Person, World


@example
async def list_callbacks(world: World, person: Person) -> Request:
    await retry_callback(world, person)
    return Request(params={"state": "waiting", "limit": 5})


@example
async def get_callback_secret(world: World, person: Person) -> Request:
    return Request()


@example
async def get_callback_auth(world: World, person: Person) -> Request:
    return Request()


@example
async def set_callback_auth(world: World, person: Person) -> Request:
    return Request(params={"secret": "live_auth_0123456789abcdef"})


@example
async def clear_callback_auth(world: World, person: Person) -> Request:
    return Request()


@example
async def retry_callback(world: World, person: Person) -> Request:
    await world.ana.post(f"/task/{await task(world, callback_url='https://x.example/hook')}/cancel")
    told = await world.ana.get("/callbacks")
    return Request({"id": told["docs"][0]["id"]})
