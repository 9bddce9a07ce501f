"""Example calls of figures and forecasts."""

from tests.contract.examples.makers import batch, group, project
from tests.contract.examples.requests import Request, example
from tests.world import Person, World

PERIOD = {"from": "2020-01-01", "to": "2099-01-01T00:00:00Z"}


async def answered(world: World) -> str:
    """A project whose one task Ben and Dee have answered, and a manager's batch is pending in; its name."""
    made = await project(world, world.ben, world.dee, pipeline="consensus_task", consensus_attempts=2)
    done = await batch(world, made)
    for person in (world.ben, world.dee):
        given = await person.post("/work/claim", {"batch": done})
        await person.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}})
    await batch(world, made)
    return made


@example
async def project_figures(world: World, person: Person) -> Request:
    return Request(params={"project": await answered(world), "limit": 5, **PERIOD})


@example
async def batch_figures(world: World, person: Person) -> Request:
    return Request(params={"project": await answered(world), "limit": 5, **PERIOD})


@example
async def group_figures(world: World, person: Person) -> Request:
    made = await answered(world)
    return Request(params={"project": made, "group": await group(world, made), "limit": 5})


@example
async def labeler_figures(world: World, person: Person) -> Request:
    return Request(params={"project": await answered(world), "labeler_emails": [world.ben.email], "limit": 5})


@example
async def confusion_matrix(world: World, person: Person) -> Request:
    params = {"project": await answered(world), "question": "category", "against": "result"}
    return Request(params={**params, "labeler_emails": [world.ben.email], **PERIOD})


@example
async def disagreement(world: World, person: Person) -> Request:
    return Request(params={"project": await answered(world), "at_least": 1, "limit": 5, **PERIOD})


@example
async def get_forecast(world: World, person: Person) -> Request:
    return Request(params={"project": await answered(world)})


@example
async def try_out_priorities(world: World, person: Person) -> Request:
    made = await answered(world)
    pending = await world.ana.get("/studio/batches", project=made)
    return Request(params={"batches": [pending[0]["name"]], "project": made})
