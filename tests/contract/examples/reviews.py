"""Example calls of reviews."""

from typing import Any
from urllib.parse import quote

from tests.contract.examples.files import upload_file
from tests.contract.examples.makers import claimed, project, somebody
from tests.contract.examples.requests import Request, example
from tests.world import Person, World


async def waiting(world: World, *reviewers: Person, **body: Any) -> str:
    """A project with a task that waits for its review, by these people; its name."""
    worker = await somebody(world)
    made = await project(world, worker)
    path = f"/projects/{quote(made, safe='')}"
    await world.ana.post(f"{path}/quality", {"review_levels": 1, "audit_rate": 1})
    await world.ana.post(f"{path}/reviewers/add", {"emails": [person.email for person in reviewers]})
    await world.ana.post("/task/categorization", {"project": made, "attachment": "https://x.example/1", **body})
    given = await worker.post("/work/claim", {"project": made})
    await worker.post(f"/work/{given['claim_id']}/submit", {"response": {"category": "cat"}})
    return made


async def held_review(world: World, person: Person, **body: Any) -> str:
    """A review that the person holds."""
    made = await waiting(world, person, **body)
    return (await person.post("/reviews/claim", {"project": made}))["review_id"]


@example
async def claim_review(world: World, person: Person) -> Request:
    return Request(params={"project": await waiting(world, person)})


@example
async def accept_review(world: World, person: Person) -> Request:
    return Request({"review": await held_review(world, person)}, {"comments": "Clear enough."})


@example
async def fix_review(world: World, person: Person) -> Request:
    return Request({"review": await held_review(world, person)}, {"response": {"category": "dog"}, "comments": "ears"})


@example
async def reject_review(world: World, person: Person) -> Request:
    return Request({"review": await held_review(world, person)}, {"comments": "ears", "send_to": "anyone"})


@example
async def extend_review(world: World, person: Person) -> Request:
    return Request({"review": await held_review(world, person)})


@example
async def release_review(world: World, person: Person) -> Request:
    return Request({"review": await held_review(world, person)})


@example
async def get_review_attachment(world: World, person: Person) -> Request:
    uploading = await upload_file(world, person)
    file = (await world.ana.call("POST", "/files/upload", **uploading.options("POST"))).json()
    review = await held_review(world, person, attachment=file["attachment_url"])
    return Request({"review": review, "id": file["id"]})


@example
async def get_comments(world: World, person: Person) -> Request:
    return Request({"claim": await claimed(world, person)})


@example
async def list_reviewers(world: World, person: Person) -> Request:
    return Request({"name": await waiting(world, world.mia)})


@example
async def add_reviewers(world: World, person: Person) -> Request:
    return Request({"name": await project(world)}, {"emails": [world.ben.email, world.mia.email]})


@example
async def remove_reviewers(world: World, person: Person) -> Request:
    return Request({"name": await waiting(world, world.mia)}, {"emails": [world.mia.email]})


@example
async def list_reviews(world: World, person: Person) -> Request:
    return Request(params={"project": await waiting(world, world.mia), "state": "open", "limit": 5})


@example
async def list_audits_due(world: World, person: Person) -> Request:
    made = await waiting(world, world.mia)
    given = await world.mia.post("/reviews/claim", {"project": made})
    await world.mia.post(f"/reviews/{given['review_id']}/accept")
    return Request(params={"project": made, "limit": 5})


@example
async def get_task_history(world: World, person: Person) -> Request:
    made = await waiting(world, world.mia)
    tasks = await world.ana.get("/tasks", project=made)
    return Request({"id": tasks["docs"][0]["task_id"]})
