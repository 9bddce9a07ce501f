"""A valid call of every operation, against things that are made for it. A new operation needs its entry here.

All names hold a slash, a space, a percent sign and letters beyond ASCII: clients percent-encode them.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote

from refonte_studio.kit.caller import Role
from refonte_studio.main import OPERATIONS
from refonte_studio.teams import service as teams
from refonte_studio.web import Operation
from tests.makers import real_id
from tests.world import Person, World

BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS}
PASSWORD = "correct horse battery"
_numbers = count(1)


@dataclass
class Request:
    """What a call needs beyond its method: names for the path, parameters, or bytes."""

    path: dict[str, str] = field(default_factory=dict)
    params: dict[str, Any] | None = None  # JSON body of a POST, PUT or DELETE, query of a GET
    content: bytes | None = None
    content_type: str | None = None

    def url(self, operation: Operation) -> str:
        """The address, beginning after /v1."""
        return re.sub(r"\{(\w+)\}", lambda name: quote(self.path[name[1]], safe=""), operation.path.removeprefix("/v1"))

    def options(self, method: str) -> dict[str, Any]:
        """How httpx is told."""
        if self.content is not None:
            return {"content": self.content, "headers": {"content-type": self.content_type or ""}}
        if self.params is None:
            return {}
        if method == "GET":
            return {"params": {name: _in_query(value) for name, value in self.params.items()}}
        return {"json": self.params}


def _in_query(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


Make = Callable[[World, Person], Awaitable[Request]]
EXAMPLES: dict[str, Make] = {}


def example(make: Make) -> Make:
    EXAMPLES[make.__name__] = make
    return make


def name(what: str) -> str:
    return f"{what} / Köter 100% № {next(_numbers)}"


async def project(world: World, *people: Person, **body: Any) -> str:
    """A Studio project, with these people assigned."""
    made = name("Dogs")
    body = {"type": "categorization", "studio": True, "params": {"categories": ["cat", "dog"]}, **body}
    await world.ana.post("/projects", {"name": made, **body})
    if people:
        emails = [person.email for person in people]
        await world.ana.post("/studio/assignments/add", {"emails": emails, "projects": [made]})
    return made


async def batch(world: World, of: str, finalized: bool = True, tasks: int = 1) -> str:
    made = name("Monday")
    await world.ana.post("/batches", {"project": of, "name": made})
    for _ in range(tasks):
        await world.ana.post(
            "/task/categorization", {"project": of, "batch": made, "attachment": "https://x.example/1"}
        )
    if finalized:
        await world.ana.post(f"/batches/{quote(made, safe='')}/finalize")
    return made


async def group(world: World, of: str) -> str:
    made = name("experts")
    path = f"/studio/projects/{quote(of, safe='')}/groups"
    await world.ana.post(path, {"name": made, "emails": [world.ben.email]})
    return made


async def task(world: World, **body: Any) -> str:
    body = {"attachment": "https://x.example/1", "categories": ["cat", "dog"], **body}
    return (await world.ana.post("/task/categorization", body))["task_id"]


async def claimed(world: World, person: Person) -> str:
    """A claim that the person holds."""
    await batch(world, await project(world, person))
    given = await person.post("/work/claim")
    return given["claim_id"]


async def somebody(world: World) -> Person:
    """A new labeler."""
    return await world.person(f"eve{next(_numbers)}", world.ana.team_id, Role.LABELER)


# ---------------------------------------------------------------------------------------------- teams


@example
async def list_teammates(world: World, person: Person) -> Request:
    return Request()


@example
async def invite_teammates(world: World, person: Person) -> Request:
    return Request(params={"emails": [f"new{next(_numbers)}@example.com"], "team_role": "labeler"})


@example
async def set_teammate_role(world: World, person: Person) -> Request:
    return Request(params={"emails": [(await somebody(world)).email], "team_role": "member"})


@example
async def disable_teammates(world: World, person: Person) -> Request:
    return Request(params={"emails": [(await somebody(world)).email]})


# ------------------------------------------------------------------------------------------- accounts


@example
async def accept_invitation(world: World, person: Person) -> Request:
    email = f"new{next(_numbers)}@example.com"
    team = await world.ana.post("/teams/invite", {"emails": [email], "team_role": "labeler"})
    link = next(each["inviteUrl"] for each in team if each["email"] == email)
    token = link.rpartition("/")[2]
    return Request(params={"token": token, "first_name": "Eve", "last_name": "Stone", "password": PASSWORD})


@example
async def set_up(world: World, person: Person) -> Request:
    """There are teams already, so no set-up link works."""
    who = {"email": "new@example.com", "first_name": "Eve", "last_name": "Stone", "password": PASSWORD}
    return Request(params={"token": "used", "team": "Third", **who})


@example
async def sign_in(world: World, person: Person) -> Request:
    accepting = await accept_invitation(world, person)
    assert accepting.params is not None
    async with world.client() as client:
        joined = await client.post("/v1/invitations/accept", json=accepting.params)
    return Request(params={"email": joined.json()["email"], "password": PASSWORD})


@example
async def who_am_i(world: World, person: Person) -> Request:
    return Request()


@example
async def sign_out(world: World, person: Person) -> Request:
    return Request()


@example
async def change_password(world: World, person: Person) -> Request:
    """People of the tests' world have no password, so the present one is wrong."""
    return Request(params={"current_password": PASSWORD, "new_password": "wrong mule generator"})


@example
async def create_key(world: World, person: Person) -> Request:
    return Request(params={"mode": "live", "name": "script"})


@example
async def list_keys(world: World, person: Person) -> Request:
    return Request()


@example
async def revoke_key(world: World, person: Person) -> Request:
    key_id, _ = await world.db.write(teams.create_key, person.team_id, person.id, "live", "spare", world.clock())
    return Request({"id": key_id})


# ------------------------------------------------------------------------------------------- projects


@example
async def create_project(world: World, person: Person) -> Request:
    return Request(params={"name": name("Dogs"), "type": "categorization", "params": {"instruction": "Which breed?"}})


@example
async def list_projects(world: World, person: Person) -> Request:
    await project(world)
    return Request()


@example
async def get_project(world: World, person: Person) -> Request:
    return Request({"name": await project(world)})


@example
async def set_project_params(world: World, person: Person) -> Request:
    return Request({"name": await project(world)}, {"patch": True, "instruction": "Look at the ears."})


@example
async def archive_project(world: World, person: Person) -> Request:
    return Request({"name": await project(world)})


@example
async def unarchive_project(world: World, person: Person) -> Request:
    made = await project(world)
    await world.ana.post(f"/projects/{quote(made, safe='')}/archive")
    return Request({"name": made})


@example
async def get_task_template(world: World, person: Person) -> Request:
    fields = [{"field_id": "ok", "type": "category", "title": "Is it?", "choices": [{"label": "Yes", "value": "yes"}]}]
    return Request({"name": await project(world, type="textcollection", params={"fields": fields})})


@example
async def update_pipeline_config(world: World, person: Person) -> Request:
    return Request({"name": await project(world)}, {"pipeline": "consensus_task", "consensus_attempts": 3})


@example
async def update_studio_pipeline_config(world: World, person: Person) -> Request:
    return await update_pipeline_config(world, person)


@example
async def get_quality_settings(world: World, person: Person) -> Request:
    return Request({"name": await project(world)})


@example
async def set_quality_settings(world: World, person: Person) -> Request:
    return Request({"name": await project(world)}, {"review_levels": 1, "reset": ["audit_rate"]})


@example
async def get_consensus(world: World, person: Person) -> Request:
    return Request({"name": await project(world)})


@example
async def estimate_consensus(world: World, person: Person) -> Request:
    return Request({"name": await project(world)})


@example
async def list_consensus_labelers(world: World, person: Person) -> Request:
    return Request({"name": await project(world)}, {"limit": 10})


@example
async def list_assignments(world: World, person: Person) -> Request:
    return Request()


@example
async def add_assignments(world: World, person: Person) -> Request:
    return Request(params={"emails": [world.ben.email], "projects": [await project(world)]})


@example
async def remove_assignments(world: World, person: Person) -> Request:
    return Request(params={"emails": [world.ben.email], "projects": [await project(world, world.ben)]})


@example
async def list_groups(world: World, person: Person) -> Request:
    made = await project(world, world.ben)
    await group(world, made)
    return Request({"project": made})


@example
async def create_group(world: World, person: Person) -> Request:
    made = await project(world, world.ben)
    return Request({"project": made}, {"name": name("experts"), "emails": [world.ben.email]})


@example
async def update_group(world: World, person: Person) -> Request:
    made = await project(world, world.ben, world.dee)
    params = {"add_emails": [world.dee.email], "remove_emails": [world.ben.email]}
    return Request({"project": made, "group": await group(world, made)}, params)


# -------------------------------------------------------------------------------------------- batches


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


# ---------------------------------------------------------------------------------------------- files

_FORM = (
    b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\n'
    b"hello\r\n--x--\r\n"
)


@example
async def upload_file(world: World, person: Person) -> Request:
    return Request(content=_FORM, content_type="multipart/form-data; boundary=x")


@example
async def import_file(world: World, person: Person) -> Request:
    """The server may not fetch from itself."""
    return Request(params={"file_url": "http://127.0.0.1:9/a.txt"})


@example
async def list_files(world: World, person: Person) -> Request:
    return Request({}, {"limit": 1})


@example
async def get_file(world: World, person: Person) -> Request:
    uploading = await upload_file(world, person)
    made = await world.ana.call("POST", "/files/upload", **uploading.options("POST"))
    return Request({"id": made.json()["id"]})


# ---------------------------------------------------------------------------------------------- tasks


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


@example
async def export_tasks(world: World, person: Person) -> Request:
    made = await project(world)
    await task(world, project=made)
    return Request(params={"project": made, "attempts": True})


@example
async def import_tasks(world: World, person: Person) -> Request:
    line = {"type": "categorization", "attachment": "https://x.example/1", "categories": ["cat", "dog"]}
    return Request(content=json.dumps(line).encode() + b"\n", content_type="application/x-ndjson")


# -------------------------------------------------------------------------------------------- quality


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


# ----------------------------------------------------------------------------------------------- work


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


# -------------------------------------------------------------------------------------------- reviews


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


# ------------------------------------------------------------------------------------------ callbacks


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


# -------------------------------------------------------------------------------------------- insight

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
