"""Example calls of training, evaluation and pauses."""

from tests.contract.examples.makers import batch, project
from tests.contract.examples.requests import Request, example
from tests.contract.examples.tasks import audit_task
from tests.world import Person, World


@example
async def create_training_task(world: World, person: Person) -> Request:
    params = {"attachment": "https://x.example/1", "expected_response": {"category": "cat"}}
    return Request({"type": "categorization"}, {"project": await project(world), **params})


@example
async def create_evaluation_task(world: World, person: Person) -> Request:
    made = await project(world)
    of = await batch(world, made, finalized=False)
    request = await create_training_task(world, person)
    assert request.params is not None
    return Request(request.path, {**request.params, "project": made, "batch": of})


@example
async def make_quality_task(world: World, person: Person) -> Request:
    auditing = await audit_task(world, person)
    await world.ana.post(f"/task/{auditing.path['id']}/audit", {"accepted": True})
    return Request(auditing.path, {"kind": "evaluation", "expected_response": {"category": "dog"}})


@example
async def list_accuracy(world: World, person: Person) -> Request:
    made = await project(world, world.ben)
    return Request(params={"project": made, "labeler_emails": [world.ben.email], "limit": 5})


@example
async def list_pauses(world: World, person: Person) -> Request:
    return Request(params={"project": await project(world, world.ben), "limit": 5})


@example
async def add_pauses(world: World, person: Person) -> Request:
    of = await project(world, world.dee)
    return Request(params={"project": of, "emails": [world.dee.email], "reason": "let us talk first"})


@example
async def lift_pauses(world: World, person: Person) -> Request:
    return Request(params={"project": await project(world, world.ben), "emails": [world.ben.email]})


@example
async def list_training_attempts(world: World, person: Person) -> Request:
    return Request(params={"labeler_emails": [world.ben.email], "limit": 5})


@example
async def list_courses(world: World, person: Person) -> Request:
    await get_feedback(world, person)
    return Request()


@example
async def get_feedback(world: World, person: Person) -> Request:
    made = await project(world, person)
    body = {"project": made, "attachment": "https://x.example/1", "expected_response": {"category": "cat"}}
    await world.ana.post("/training_tasks/categorization", body)
    given = await person.post("/work/claim", {"project": made})
    await person.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "dog"}})
    return Request({"claim": given["claim_id"]})
