"""Example calls of the consensus of a project."""

from tests.contract.examples.makers import project
from tests.contract.examples.requests import Request, example
from tests.world import Person, World


@example
async def get_consensus(world: World, person: Person) -> Request:
    return Request({"name": await project(world)})


@example
async def estimate_consensus(world: World, person: Person) -> Request:
    return Request({"name": await project(world)})


@example
async def list_consensus_labelers(world: World, person: Person) -> Request:
    return Request({"name": await project(world)}, {"limit": 10})
