"""The operations of batches."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from refonte_studio.batches import policy, service
from refonte_studio.batches.model import Batch, BatchState, Counts
from refonte_studio.batches.routes.queue import operations as studio_operations
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.clock import iso, parse_time
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.pages import PAGE_LIMIT, PageCursor
from refonte_studio.kit.redaction import redacted
from refonte_studio.projects import service as projects
from refonte_studio.web import Body, Call, Operations, Params
from refonte_studio.web.offsets import keep_page_end, page_cursor

operations = Operations("Batches")

EVER_MS = 1 << 62
_EXAMPLE = {
    "id": "6553f1a0c8e25b7d91f0a3d1",
    "name": "Dogs, first hundred",
    "project": "Dog photographs",
    "status": "staging",
    "created_at": "2023-08-09T16:12:38.072Z",
    "metadata": {"source": "shelter"},
    "callback": "https://example.com/studio",
    "calibration_batch": False,
    "self_label_batch": False,
}


class CreateBatch(Params):
    project: str
    name: str
    callback: str | None = None
    callback_url: str | None = None
    calibration_batch: bool | None = None
    self_label_batch: bool | None = None
    metadata: dict[str, Any] | None = None


class ListBatches(Params):
    project: str | None = None
    status: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    exclude_archived: bool | None = None
    detailed: bool | None = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] | None = None
    offset: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None
    next_token: str | None = None


class Prioritize(Params):
    priority: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None


class BatchOut(msgspec.Struct, kw_only=True):
    id: str
    name: str
    project: str
    status: BatchState
    created_at: str
    metadata: dict[str, Any]
    calibration_batch: bool
    self_label_batch: bool
    callback: str | UnsetType = UNSET
    finalized_at: str | UnsetType = UNSET
    completed_at: str | UnsetType = UNSET
    tasks_pending: int | UnsetType = UNSET
    tasks_completed: int | UnsetType = UNSET
    tasks_canceled: int | UnsetType = UNSET
    tasks_error: int | UnsetType = UNSET

    @classmethod
    def of(cls, batch: Batch, project: str, counts: Counts | None = None) -> "BatchOut":
        return cls(
            id=batch.id,
            name=batch.name,
            project=project,
            status=batch.state,
            created_at=iso(batch.created_at),
            metadata=msgspec.json.decode(batch.metadata),
            calibration_batch=batch.batch_type == "Calibration",
            self_label_batch=batch.batch_type == "SelfLabel",
            callback=UNSET if batch.callback is None else redacted(batch.callback),
            finalized_at=UNSET if batch.finalized_at is None else iso(batch.finalized_at),
            completed_at=UNSET if batch.completed_at is None else iso(batch.completed_at),
            tasks_pending=UNSET if counts is None else counts.pending,
            tasks_completed=UNSET if counts is None else counts.completed,
            tasks_canceled=UNSET if counts is None else counts.canceled,
            tasks_error=UNSET if counts is None else 0,
        )


class BatchesOut(msgspec.Struct):
    docs: list[BatchOut]
    totalDocs: int
    limit: int
    offset: int
    has_more: bool
    next_token: str | UnsetType = UNSET


class StatusOut(msgspec.Struct):
    status: BatchState
    pending: int
    completed: int
    canceled: int
    error: int


async def located(tx: Tx, caller: Caller, path: Mapping[str, str]) -> Batch:
    """Returns the batch in the path."""
    return await service.find(tx, caller.team_id, caller.mode, path["name"])


async def _out(tx: Tx, batch: Batch) -> BatchOut:
    names = await projects.names_by_ids(tx, batch.team_id, [batch.project_id])
    return BatchOut.of(batch, names[batch.project_id])


async def _create(tx: Tx, caller: Caller, params: CreateBatch, now: int) -> BatchOut:
    project = await projects.find_in_body(tx, caller.team_id, caller.mode, params.project)
    batch = await service.create_batch(
        tx,
        project,
        params.name,
        now,
        callback=policy.one_callback(params.callback, params.callback_url),
        calibration=params.calibration_batch or False,
        self_label=params.self_label_batch or False,
        metadata=params.metadata,
    )
    return BatchOut.of(batch, project.name)


@operations.add(
    "POST",
    "/v1/batches",
    may=Permission.MANAGE,
    params=CreateBatch,
    answer=BatchOut,
    errors=(409,),
    example={
        "project": "Dog photographs",
        "name": "Dogs, first hundred",
        "callback": "https://example.com/studio",
        "metadata": {"source": "shelter"},
    },
    example_answer=_EXAMPLE,
    ignores=("force",),
)
async def create_batch(call: Call, params: CreateBatch) -> BatchOut:
    """Create a batch in a project.

    In a Studio project it starts in `staging` and accepts tasks until it is finalized; in others it starts
    `in_progress`. `callback`, an http or https URL or an e-mail address, is notified when the batch completes;
    `callback_url` is another name for it. The name must be unique in the team and mode.
    """
    return await call.db.write(_create, call.caller, params, call.now)


async def _page(tx: Tx, caller: Caller, params: ListBatches, place: PageCursor) -> BatchesOut:
    name = params.project
    project = await projects.find(tx, caller.team_id, caller.mode, name) if name is not None else None
    times = (
        parse_time("start_time", params.start_time) if params.start_time else 0,
        parse_time("end_time", params.end_time) if params.end_time else EVER_MS,
    )
    limit = params.limit or PAGE_LIMIT
    page, total = await service.batches_page(
        tx,
        caller,
        project,
        params.status,
        times,
        limit,
        place,
        exclude_archived=params.exclude_archived or False,
    )
    counts = await service.counts(tx, [batch.id for batch, _ in page.docs]) if params.detailed else {}
    docs = [BatchOut.of(batch, project_name, counts.get(batch.id)) for batch, project_name in page.docs]
    token = UNSET if page.next_token is None else page.next_token
    return BatchesOut(docs, total, limit, params.offset or 0, page.has_more, token)


@operations.add(
    "GET",
    "/v1/batches",
    may=Permission.READ,
    locate=service.check_filters,
    params=ListBatches,
    answer=BatchesOut,
    errors=(404,),
    example={"project": "Dog photographs", "status": "in_progress", "limit": 10},
    example_answer={"docs": [_EXAMPLE], "totalDocs": 1, "limit": 10, "offset": 0, "has_more": False},
    ignores=("callback_url",),
)
async def list_batches(call: Call, params: ListBatches) -> BatchesOut:
    """List batches, newest first, in pages.

    `start_time` and `end_time` limit the creation time; `status` is `staging`, `in_progress` or `completed`. `detailed`
    adds the number of pending, completed and canceled tasks of each batch (`tasks_pending` and so on).

    `next_token` opens the next page. `offset` also works: if an earlier page with the same filters ended at this
    `offset`, within ten minutes and for the same key or session, the new page starts exactly after that page, so that
    nothing is repeated or missing if batches are created in between. Any other `offset` counts from the currently
    newest batch. `totalDocs` counts all current batches.

    `exclude_archived` omits the batches of archived projects.
    """
    place = await page_cursor(call, params, params.offset, params.next_token)
    page = await call.db.read(_page, call.caller, params, place)
    await keep_page_end(call, params, params.offset, len(page.docs), page.docs[-1].id if page.has_more else None)
    return page


async def _get(tx: Tx, caller: Caller, path: Mapping[str, str]) -> BatchOut:
    return await _out(tx, await located(tx, caller, path))


@operations.add(
    "GET",
    "/v1/batches/{name}",
    may=Permission.READ,
    answer=BatchOut,
    locate=located,
    example={},
    example_answer=_EXAMPLE,
)
async def get_batch(call: Call, _params: Params) -> BatchOut:
    """Get a batch by its name."""
    return await call.db.read(_get, call.caller, call.path)


async def _status(tx: Tx, caller: Caller, path: Mapping[str, str]) -> StatusOut:
    batch = await located(tx, caller, path)
    counts = (await service.counts(tx, [batch.id]))[batch.id]
    return StatusOut(batch.state, counts.pending, counts.completed, counts.canceled, 0)


@operations.add(
    "GET",
    "/v1/batches/{name}/status",
    may=Permission.READ,
    answer=StatusOut,
    locate=located,
    example={},
    example_answer={"status": "in_progress", "pending": 40, "completed": 60, "canceled": 0, "error": 0},
)
async def get_batch_status(call: Call, _params: Params) -> StatusOut:
    """Get the status of a batch, and the number of its pending, completed and canceled tasks.

    No task ends in `error`, so `error` is always 0.
    """
    return await call.db.read(_status, call.caller, call.path)


async def _finalize(tx: Tx, caller: Caller, path: Mapping[str, str], now: int) -> BatchOut:
    return await _out(tx, await service.finalize(tx, caller, path["name"], now))


@operations.add(
    "POST",
    "/v1/batches/{name}/finalize",
    may=Permission.MANAGE,
    answer=BatchOut,
    locate=located,
    example={},
    example_answer={**_EXAMPLE, "status": "in_progress", "finalized_at": "2023-08-09T17:00:00.000Z"},
)
async def finalize_batch(call: Call, _params: Params) -> BatchOut:
    """Finalize a batch, so that its tasks are worked on.

    A Studio batch joins the end of the queue (a calibration batch the end of the calibration batches) and accepts no
    more tasks. A Studio batch without pending tasks completes at once. Finalizing again changes nothing; nor does
    finalizing a batch that is not a Studio batch. Both return the batch.
    """
    return await call.db.write(_finalize, call.caller, call.path, call.now)


class BatchMetadataParams(Params):
    clear: Annotated[bool, Meta(description="Remove all metadata; the body must then be empty.")] | None = None


async def _clear_metadata(tx: Tx, caller: Caller, path: Mapping[str, str]) -> BatchOut:
    return await _out(tx, await service.clear_metadata(tx, caller, path["name"]))


async def _set_metadata(tx: Tx, caller: Caller, path: Mapping[str, str], metadata: dict[str, Any]) -> BatchOut:
    return await _out(tx, await service.set_metadata(tx, caller, path["name"], metadata))


@operations.add(
    "POST",
    "/v1/batches/{name}/setMetadata",
    may=Permission.MANAGE,
    answer=BatchOut,
    params=BatchMetadataParams,
    body=Body.JSON,
    body_schema={"type": "object", "description": "Your own keys and values."},
    locate=located,
    example={"source": "shelter", "week": 32},
    example_answer={**_EXAMPLE, "metadata": {"source": "shelter", "week": 32}},
)
async def set_batch_metadata(call: Call, params: BatchMetadataParams) -> BatchOut:
    """Set the metadata of a batch.

    The body is the metadata, which replaces the existing metadata. An empty body is rejected if it would remove
    existing metadata; to do so, send `clear=true` in the query, without a body.
    """
    body: Any = {} if call.body is None else call.body
    wrong = None
    if not isinstance(body, dict):
        wrong = f"the body must be a JSON object, not {shown(body)}"
    elif params.clear and body:
        wrong = f"clear=true removes all metadata, so the body must be empty, not {shown(body)}"
    if wrong is not None:
        await call.db.read(located, call.caller, call.path)  # a 404 takes precedence over a 400
        raise BadInput(wrong)
    if params.clear:
        return await call.db.write(_clear_metadata, call.caller, call.path)
    return await call.db.write(_set_metadata, call.caller, call.path, body)


async def _prioritize(tx: Tx, caller: Caller, path: Mapping[str, str], place: int) -> BatchOut:
    return await _out(tx, await service.prioritize(tx, caller, path["name"], place))


@operations.add(
    "POST",
    "/v1/batches/{name}/prioritize",
    may=Permission.MANAGE,
    params=Prioritize,
    answer=BatchOut,
    locate=located,
    example={"priority": 1},
    example_answer={**_EXAMPLE, "status": "in_progress"},
)
async def prioritize_batch(call: Call, params: Prioritize) -> BatchOut:
    """Move a pending Studio batch to a position in the queue.

    `priority` is the position among all pending batches, starting at 1; without it, the batch moves to the front, and a
    number beyond the end moves it to the end. A batch that is not finalized, or is completed, is rejected.
    """
    return await call.db.write(_prioritize, call.caller, call.path, params.priority or 1)


operations.extend(studio_operations)
