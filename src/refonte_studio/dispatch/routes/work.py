"""What a labeler does, over HTTP."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from refonte_studio.db import Tx
from refonte_studio.dispatch import service
from refonte_studio.dispatch.model import HeldTask, Waiting
from refonte_studio.dispatch.policy import labeler_view
from refonte_studio.dispatch.routes import loop
from refonte_studio.dispatch.service import filters
from refonte_studio.files import service as files
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.clock import iso
from refonte_studio.kit.pages import PAGE_LIMIT
from refonte_studio.web import Call, HttpResponse, Operations, Params

operations = Operations("Work")

_TASK = {
    "task_id": "64d3b8a6f1c2a4e5b6d7c8f0",
    "type": "categorization",
    "project": "Dog breeds",
    "batch": "Monday",
    "instruction": "Choose the breed.",
    "params": {"attachment": "https://example.com/dog.jpg", "categories": ["collie", "terrier"]},
}


class ClaimParams(Params):
    project: str | None = None
    batch: str | None = None


class ClaimedTask(msgspec.Struct):
    task_id: str
    type: str
    project: str
    batch: str
    instruction: str
    params: dict[str, Any] | msgspec.Raw


class ClaimOut(msgspec.Struct):
    """A task to work on, held until the lease ends."""

    claim_id: str
    lease_expires_at: str
    task: ClaimedTask


class SubmitParams(Params):
    UNREAD: ClassVar[frozenset[str]] = frozenset({"response"})

    response: dict[str, Any]


class SubmittedOut(msgspec.Struct):
    task_id: str
    status: str
    attempts: int
    attempts_wanted: int


class ExtendedOut(msgspec.Struct):
    claim_id: str
    lease_expires_at: str


class SkipParams(Params):
    reason: Annotated[str, Meta(max_length=1_000)] | None = None


class PutDownOut(msgspec.Struct):
    task_id: str


class WaitingBatch(msgspec.Struct):
    name: str
    waiting: int


class WaitingProject(msgspec.Struct):
    name: str
    waiting: int
    batches: list[WaitingBatch]


class QueueOut(msgspec.Struct):
    waiting: int
    projects: list[WaitingProject]


class HistoryParams(Params):
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT
    next_token: str | None = None


class DoneOut(msgspec.Struct):
    claim_id: str
    task_id: str
    project: str
    batch: str
    type: str
    submitted_at: str
    response: dict[str, Any] | msgspec.Raw


class HistoryOut(msgspec.Struct, omit_defaults=True):
    docs: list[DoneOut]
    limit: int
    has_more: bool
    next_token: str | None = None


def _lease_ms(call: Call) -> int:
    return call.studio.settings.lease_s * 1_000


def _claim_out(held: HeldTask) -> ClaimOut:
    claim = held.claim
    task = labeler_view.task(held)
    return ClaimOut(
        claim_id=claim.id,
        lease_expires_at=iso(claim.lease_expires_at),
        task=ClaimedTask(
            task_id=task.task_id,
            type=held.type,
            project=held.project,
            batch=held.batch,
            instruction=task.instruction,
            params=msgspec.Raw(task.params),
        ),
    )


async def _locate(tx: Tx, caller: Caller, path: Mapping[str, str]) -> object:
    return await service.claim_of(tx, caller, path["claim"])


@operations.add(
    "POST",
    "/v1/work/claim",
    may=Permission.WORK,
    signs_in=True,
    locate=filters.check,
    params=ClaimParams,
    answer=ClaimOut | None,
    errors=(404,),
    example={"project": "Dog breeds"},
    example_answer={
        "claim_id": "64d3b8a6f1c2a4e5b6d7c8f9",
        "lease_expires_at": "2023-08-09T16:42:38.072Z",
        "task": _TASK,
    },
)
async def claim(call: Call, params: ClaimParams) -> ClaimOut | None:
    """Claim the next task

    Returns the next task that this person may work on, with a lease. While they hold a task, it is returned again,
    whatever the filter. The status is 204 if there is no task, and 404 if the project or batch does not exist or this
    labeler may not see it.
    """
    held = await loop.claim(call, params.project, params.batch, _lease_ms(call))
    return _claim_out(held) if held else None


@operations.add(
    "POST",
    "/v1/work/{claim}/submit",
    may=Permission.WORK,
    signs_in=True,
    params=SubmitParams,
    answer=SubmittedOut,
    errors=(409,),
    locate=_locate,
    example={"response": {"category": "collie"}},
    example_answer={
        "task_id": "64d3b8a6f1c2a4e5b6d7c8f0",
        "status": "pending",
        "attempts": 1,
        "attempts_wanted": 3,
    },
)
async def submit(call: Call, params: SubmitParams) -> SubmittedOut:
    """Submit a response

    Checks the response against the task's type and parameters and records the attempt. The same submission
    sent again gets the same response. A different one, or a lost claim, gets 409.
    """
    done = await loop.submit(call, call.path["claim"], params.unread("response") or params.response)
    return SubmittedOut(done.task_id, done.status, done.attempts, done.attempts_wanted)


@operations.add(
    "POST",
    "/v1/work/{claim}/extend",
    may=Permission.WORK,
    signs_in=True,
    answer=ExtendedOut,
    errors=(409,),
    locate=_locate,
    example_answer={"claim_id": "64d3b8a6f1c2a4e5b6d7c8f9", "lease_expires_at": "2023-08-09T16:42:38.072Z"},
)
async def extend(call: Call, _params: Params) -> ExtendedOut:
    """Renew the lease

    The lease runs for its whole length from now.
    """
    held = await loop.extend(call, call.path["claim"], _lease_ms(call))
    return ExtendedOut(held.id, iso(held.lease_expires_at))


@operations.add(
    "POST",
    "/v1/work/{claim}/skip",
    may=Permission.WORK,
    signs_in=True,
    params=SkipParams,
    answer=PutDownOut,
    errors=(409,),
    locate=_locate,
    example={"reason": "The picture is too dark."},
    example_answer={"task_id": "64d3b8a6f1c2a4e5b6d7c8f0"},
)
async def skip(call: Call, params: SkipParams) -> PutDownOut:
    """Decline a task for good

    Its slot is open to others; this person does not get it again.
    """
    put_down = await loop.skip(call, call.path["claim"], params.reason)
    return PutDownOut(put_down.task_id)


@operations.add(
    "POST",
    "/v1/work/{claim}/release",
    may=Permission.WORK,
    signs_in=True,
    answer=PutDownOut,
    errors=(409,),
    locate=_locate,
    example_answer={"task_id": "64d3b8a6f1c2a4e5b6d7c8f0"},
)
async def release(call: Call, _params: Params) -> PutDownOut:
    """Give a task back

    Its slot opens again, also for this person.
    """
    put_down = await loop.release(call, call.path["claim"])
    return PutDownOut(put_down.task_id)


@operations.add(
    "GET",
    "/v1/work/{claim}/files/{n}",
    may=Permission.WORK,
    answer={"type": "string", "format": "binary", "description": "The file's bytes."},
    errors=(409,),
    locate=_locate,
    media_type="application/octet-stream",
)
async def get_attachment(call: Call, _params: Params) -> HttpResponse:
    """Get a file of the task

    The bytes of a file that the parameters of the held task name. Files are numbered from 1, in the order in which the
    parameters name them. People who may read tasks find `studio://files/{id}` in the parameters, and may ask by that
    id too. A `Range` header asks for a part of the file, which is answered with 206.
    """
    file = await call.db.read(service.attachment_of, call.caller, call.path["claim"], call.path["n"], call.now)
    made = files.served(call.db, file, call.range)
    return HttpResponse(made.content, made.status, made.media_type, made.headers)


@operations.add(
    "GET",
    "/v1/work/queue",
    may=Permission.WORK,
    answer=QueueOut,
    example_answer={
        "waiting": 12,
        "projects": [{"name": "Dog breeds", "waiting": 12, "batches": [{"name": "Monday", "waiting": 12}]}],
    },
)
async def queue(call: Call, _params: Params) -> QueueOut:
    """What is waiting

    How many tasks this person could claim, by project and batch in the order of dispatch; what they hold is not
    counted. A batch is counted up to 1,000, which means 1,000 or more.
    """
    return _queue_out(await call.db.read(service.queue, call.caller))


def _queue_out(waiting: list[Waiting]) -> QueueOut:
    projects: dict[str, WaitingProject] = {}
    for part in waiting:
        project = projects.setdefault(part.project, WaitingProject(part.project, 0, []))
        project.waiting += part.tasks
        project.batches.append(WaitingBatch(part.batch, part.tasks))
    return QueueOut(sum(project.waiting for project in projects.values()), list(projects.values()))


@operations.add(
    "GET",
    "/v1/work/history",
    may=Permission.WORK,
    params=HistoryParams,
    answer=HistoryOut,
    example_answer={
        "docs": [
            {
                "claim_id": "64d3b8a6f1c2a4e5b6d7c8f9",
                "task_id": "64d3b8a6f1c2a4e5b6d7c8f0",
                "project": "Dog breeds",
                "batch": "Monday",
                "type": "categorization",
                "submitted_at": "2023-08-09T16:12:38.072Z",
                "response": {"category": "collie"},
            }
        ],
        "limit": 100,
        "has_more": False,
    },
)
async def history(call: Call, params: HistoryParams) -> HistoryOut:
    """List your own attempts

    Returns pages, the newest attempts first.
    """
    page = await call.db.read(service.history, call.caller, params.limit, params.next_token)
    docs = [
        DoneOut(
            claim_id=done.claim_id,
            task_id=done.task_id,
            project=done.project,
            batch=done.batch,
            type=done.type,
            submitted_at=iso(done.submitted_at),
            response=msgspec.Raw(done.response.encode()),
        )
        for done in page.docs
    ]
    return HistoryOut(docs, page.limit, page.has_more, page.next_token)
