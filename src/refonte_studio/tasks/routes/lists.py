"""Operations that list and export tasks."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from refonte_studio.batches import service as batches
from refonte_studio.kit.caller import Permission
from refonte_studio.kit.clock import parse_time
from refonte_studio.kit.names import name_key
from refonte_studio.kit.pages import PAGE_LIMIT
from refonte_studio.tasks.model import TaskFilter
from refonte_studio.tasks.routes.wire import EXAMPLE_COMPLETED, TASK_ID, TasksOut
from refonte_studio.tasks.service import listing
from refonte_studio.tasks.service.listing import TaskQuery
from refonte_studio.web import Call, HttpResponse, Operations, Params
from refonte_studio.web.offsets import keep_page_end, page_cursor

operations = Operations("Tasks")


class TasksParams(Params):
    """Filters; a task must match all of them."""

    project: str | None = None
    batch: str | None = None
    status: str | None = None
    type: str | None = None
    claim_id: Annotated[
        str | None, Meta(description="Only the task of this claim, even if it is a training or evaluation task.")
    ] = None
    customer_review_status: list[str] | None = None
    unique_id: list[str] | None = None
    tags: list[str] | None = None
    start_time: str | None = None
    end_time: str | None = None
    completed_after: str | None = None
    completed_before: str | None = None
    updated_after: str | None = None
    updated_before: str | None = None
    include_attachment_url: bool | None = None
    limited_response: bool | None = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT
    offset: Annotated[int, Meta(ge=0)] | None = None
    next_token: str | None = None


def _time(name: str, text: str | None) -> int | None:
    return parse_time(name, text) if text else None


def _question(params: TasksParams) -> TaskQuery:
    return TaskQuery(
        project=params.project,
        batch=params.batch,
        status=params.status,
        type=params.type,
        reviews=params.customer_review_status,
        rest=TaskFilter(
            claim_id=params.claim_id,
            unique_ids=None if params.unique_id is None else tuple(params.unique_id),
            tags=None if params.tags is None else tuple(map(name_key, params.tags)),
            created_from=_time("start_time", params.start_time),
            created_to=_time("end_time", params.end_time),
            completed_from=_time("completed_after", params.completed_after),
            completed_to=_time("completed_before", params.completed_before),
            updated_from=_time("updated_after", params.updated_after),
            updated_to=_time("updated_before", params.updated_before),
        ),
    )


@operations.add(
    "GET",
    "/v1/tasks",
    may=Permission.MANAGE,
    locate=batches.check_filters,
    answer=TasksOut,
    params=TasksParams,
    errors=(404,),
    example={"project": "Dog breeds", "status": "completed", "limit": 1},
    example_answer={
        "docs": [EXAMPLE_COMPLETED],
        "total": 807,
        "limit": 1,
        "offset": 0,
        "has_more": True,
        "next_token": TASK_ID,
    },
    ignores=("callback_url",),
)
async def list_tasks(call: Call, params: TasksParams) -> HttpResponse:
    """List tasks, newest first.

    Pass `next_token` of one page to get the next. `offset`, up to 10,000, works as well: if `offset` is where an
    earlier page with the same filters ended, the page continues exactly after it, for ten minutes and for the same key
    or session, so that new tasks cause no duplicates or gaps. Any other `offset` counts from the newest task at that
    moment. `total` is exact for the filters project, batch, status and type; with other filters it counts up to 10,000,
    and `total_is_minimum` says that there may be more.

    Times are ISO 8601; both ends of a range are included. With several `tags`, tasks that have any of them are listed.
    `customer_review_status` takes several values; `pending` selects completed tasks without an audit.
    `limited_response` returns only task_id, status, metadata and project.
    `include_attachment_url` adds `attachmentS3Downloads`: the URLs of attachments that are stored on this server.
    Labelers do not know task ids and refer to their work by `claim_id`: with it, the task of that claim is listed,
    whatever its kind. Otherwise training and evaluation tasks are not listed.
    """
    limited, files_url = bool(params.limited_response), None
    if params.include_attachment_url:
        files_url = f"{call.studio.settings.base_url}/v1/files"
    place = await page_cursor(call, params, params.offset, params.next_token)
    found, total = await call.replica.read(
        listing.page, call.caller, _question(params), place, params.limit, limited, files_url
    )
    await keep_page_end(call, params, params.offset, len(found.docs), found.next_token)
    offset = params.offset or 0
    rest: dict[str, Any] = {"total": total.count, "limit": params.limit, "offset": offset, "has_more": found.has_more}
    if total.is_minimum:
        rest["total_is_minimum"] = True
    if found.next_token is not None:
        rest["next_token"] = found.next_token
    return HttpResponse(b'{"docs":[' + b",".join(found.docs) + b"]," + msgspec.json.encode(rest)[1:])


class ExportParams(Params):
    """Filters, and whether to include attempts."""

    project: str | None = None
    batch: str | None = None
    status: str | None = None
    attempts: bool | None = None


@operations.add(
    "GET",
    "/v1/tasks/export",
    may=Permission.MANAGE,
    locate=batches.check_filters,
    answer={"type": "string", "description": "One task as JSON per line, oldest first."},
    params=ExportParams,
    errors=(404,),
    media_type="application/x-ndjson",
    example={"project": "Dog breeds", "status": "completed", "attempts": True},
    example_answer=(
        '{"task_id":"653a4b0c8f1d2e3a4b5c6d7e","status":"completed","response":{"category":"collie"},"attempts":'
        '[{"labeler":"ben@example.com","response":{"category":"collie"},"submitted_at":"2023-10-26T12:03:10.518Z"}]}\n'
    ),
)
async def export_tasks(call: Call, params: ExportParams) -> HttpResponse:
    """Export tasks as a stream of NDJSON, oldest first.

    Each line is a task in the form of `GET /v1/task/{id}`; with `attempts=true` it also has `attempts`, each with
    `labeler`, `response` and `submitted_at`. Training and evaluation tasks are not exported.
    """
    asked = TaskQuery(project=params.project, batch=params.batch, status=params.status)
    which = await call.replica.read(listing.filter_for, call.caller, asked)
    attempts = bool(params.attempts)
    lines, after = await call.replica.read(listing.export_page, call.caller, which, "", attempts)

    async def pages() -> AsyncIterator[bytes]:
        page, start = lines, after
        yield page
        while start is not None:
            page, start = await call.replica.read(listing.export_page, call.caller, which, start, attempts)
            yield page

    return HttpResponse(pages(), media_type="application/x-ndjson")
