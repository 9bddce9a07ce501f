"""Example calls of labelers' work."""

from urllib.parse import quote

from tests.contract.examples.files import upload_file
from tests.contract.examples.makers import batch, claimed, project
from tests.contract.examples.requests import Request, example
from tests.world import Person, World


@example
async def claim(world: World, person: Person) -> Request:
    made = await project(world, person)
    return Request(params={"project": made, "batch": await batch(world, made)})


@example
async def submit(world: World, person: Person) -> Request:
    return Request({"claim": await claimed(world, person)}, {"response": {"category": "cat"}})


@example
async def extend(world: World, person: Person) -> Request:
    return Request({"claim": await claimed(world, person)})


@example
async def skip(world: World, person: Person) -> Request:
    return Request({"claim": await claimed(world, person)}, {"reason": "too dark"})


@example
async def release(world: World, person: Person) -> Request:
    return Request({"claim": await claimed(world, person)})


@example
async def get_attachment(world: World, person: Person) -> Request:
    uploading = await upload_file(world, person)
    file = (await world.ana.call("POST", "/files/upload", **uploading.options("POST"))).json()
    made = await project(world, person)
    body = {"project": made, "batch": await batch(world, made, finalized=False, tasks=0)}
    await world.ana.post("/task/categorization", {**body, "attachment": file["attachment_url"]})
    await world.ana.post(f"/batches/{quote(body['batch'], safe='')}/finalize")
    given = await person.post("/work/claim", {"project": made})
    return Request({"claim": given["claim_id"], "n": "1"})


@example
async def queue(world: World, person: Person) -> Request:
    await batch(world, await project(world, person))
    return Request()


@example
async def history(world: World, person: Person) -> Request:
    claim_id = await claimed(world, person)
    await person.post(f"/work/{claim_id}/submit", {"response": {"category": "cat"}})
    return Request(params={"limit": 5})
