"""Operations on one task."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from refonte_studio import task_types
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.task_types import COMMON_PARAMETERS
from refonte_studio.tasks.model import CheckedResponse, Task
from refonte_studio.tasks.policy import creation as creation_policy
from refonte_studio.tasks.routes.wire import EXAMPLE_COMPLETED, EXAMPLE_PARAMS, EXAMPLE_TASK, TaskOut
from refonte_studio.tasks.service import creation, editing, listing
from refonte_studio.tasks.service.response_checks import Checks
from refonte_studio.web import Body, Call, HttpResponse, Operations, Params
from refonte_studio.web.params import read_dynamic_params

operations = Operations("Tasks")


async def locate_task(tx: Tx, caller: Caller, path: Mapping[str, str]) -> Task:
    return await editing.find(tx, caller.team_id, caller.mode, path["id"])


async def locate_type(_tx: Tx, _caller: Caller, path: Mapping[str, str]) -> object:
    return creation_policy.task_type(path["type"])


async def ready_if_large(
    call: Call, type_name: str, given: Mapping[str, Any], responses: Mapping[str, Any]
) -> creation.PreparedCreation | None:
    """Checks a large creation before its transaction, in a thread, so that the server can serve other requests."""
    if not call.is_large:
        return None
    project = await call.db.read(creation.project_before, call.caller, given)
    return await asyncio.to_thread(creation.prepare_creation, call.caller, type_name, given, project, responses)


CREATION_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "The parameters common to all tasks; each type adds its own, some of which are required.",
    "properties": {
        name: {**parameter.schema, "description": parameter.description}
        for name, parameter in COMMON_PARAMETERS.items()
    },
    "additionalProperties": True,
}


@operations.add(
    "POST",
    "/v1/task/{type}",
    may=Permission.MANAGE,
    answer=TaskOut,
    body=Body.OPEN,
    body_schema=CREATION_SCHEMA,
    errors=(404, 409),
    locate=locate_type,
    example=EXAMPLE_PARAMS,
    example_answer=EXAMPLE_TASK,
    ignores=("force",),
)
async def create_task(call: Call, _params: Params) -> HttpResponse:
    """Create a task.

    The type is in the path; its required parameters are checked now. The task inherits the project's parameters; its
    own override them. A task without a batch goes to its project's default batch, a task without a project to the
    default project. `unique_id` makes a creation safe to repeat: a second one with the same value is refused with 409.
    In test mode the task is completed at once with a valid sample response.
    """
    task_type = creation_policy.task_type(call.path["type"])
    given = read_dynamic_params(task_types.schemas_of(task_type), call.body, call.query)
    ready = await ready_if_large(call, task_type.name, given, {})
    create = partial(creation.create_task, ready=ready)
    return HttpResponse(await call.db.write(listing.shown_after, call.caller, create, task_type.name, given, call.now))


@operations.add(
    "GET",
    "/v1/task/{id}",
    may=Permission.MANAGE,
    answer=TaskOut,
    locate=locate_task,
    example_answer=EXAMPLE_COMPLETED,
    ignores=("callback_url",),
)
async def get_task(call: Call, _params: Params) -> HttpResponse:
    """Get a task.

    It repeats the parameters of its creation, at the top level and under `params`; once completed it has a `response`.
    """
    return HttpResponse(await call.db.read(listing.show, call.caller, call.path["id"]))


class CancelParams(Params):
    clear_unique_id: bool | None = None


@operations.add(
    "POST",
    "/v1/task/{id}/cancel",
    may=Permission.MANAGE,
    answer=TaskOut,
    params=CancelParams,
    locate=locate_task,
    example={"clear_unique_id": True},
    example_answer={**EXAMPLE_TASK, "status": "canceled"},
    ignores=("callback_url",),
)
async def cancel_task(call: Call, params: CancelParams) -> HttpResponse:
    """Cancel a task that is pending.

    `clear_unique_id` frees its unique_id for another task. For a task that is already canceled, the call succeeds with
    200; for a completed one it is refused with 400.
    """
    clear = bool(params.clear_unique_id)
    return HttpResponse(
        await call.db.write(listing.shown_after, call.caller, editing.cancel, call.path["id"], clear, call.now)
    )


class AuditParams(Params):
    UNREAD: ClassVar[frozenset[str]] = frozenset({"response"})

    accepted: bool
    comments: str | None = None
    response: dict[str, Any] | None = None


@operations.add(
    "POST",
    "/v1/task/{id}/audit",
    may=Permission.MANAGE,
    answer=TaskOut,
    params=AuditParams,
    locate=locate_task,
    example={"accepted": True, "comments": "Clear photograph, right breed."},
    example_answer={**EXAMPLE_COMPLETED, "customer_review_status": "accepted"},
)
async def audit_task(call: Call, params: AuditParams) -> HttpResponse:
    """Accept or reject a completed task, with comments.

    A `response` replaces the response of the task, whose status is then `fixed`. A person who attempted or reviewed the
    task cannot audit it. The last audit determines the task's `customer_review_status`; all audits are kept.
    A task with a `callback_url` is posted there again, with the outcome.
    """
    response: Mapping[str, Any] | CheckedResponse | None = params.response
    unread = params.unread("response")
    if unread is not None:
        checks: Checks = call.studio.services[Checks]
        to_check = await call.db.read(editing.to_check, call.caller, call.path["id"])
        response = await checks.check(to_check, unread)
    said = (params.accepted, params.comments, response)
    return HttpResponse(
        await call.db.write(listing.shown_after, call.caller, editing.audit, call.path["id"], *said, call.now)
    )


async def _send_callback(call: Call) -> HttpResponse:
    return HttpResponse(
        await call.db.write(listing.shown_after, call.caller, editing.send_callback, call.path["id"], call.now)
    )


@operations.add(
    "POST",
    "/v1/task/{id}/send_callback",
    may=Permission.MANAGE,
    answer=TaskOut,
    locate=locate_task,
    example_answer={**EXAMPLE_COMPLETED, "callback_succeeded": False},
)
async def send_task_callback(call: Call, _params: Params) -> HttpResponse:
    """Send a task's callback again.

    It is sent to the task's `callback_url` with the task's current state. For a task that is pending or has no
    `callback_url`, the call is refused with 400.
    """
    return await _send_callback(call)


@operations.add(
    "POST",
    "/v1/task/{id}/send-callback",
    may=Permission.MANAGE,
    answer=TaskOut,
    locate=locate_task,
    example_answer={**EXAMPLE_COMPLETED, "callback_succeeded": False},
)
async def send_task_callback_too(call: Call, _params: Params) -> HttpResponse:
    """Send a task's callback again, under the other spelling of the path.

    The same as `POST /v1/task/{id}/send_callback`.
    """
    return await _send_callback(call)


class UniqueIdParams(Params):
    unique_id: str


@operations.add(
    "POST",
    "/v1/task/{id}/unique_id",
    may=Permission.MANAGE,
    answer=TaskOut,
    params=UniqueIdParams,
    errors=(409,),
    locate=locate_task,
    example={"unique_id": "n02085620_7"},
    example_answer=EXAMPLE_TASK,
)
async def set_task_unique_id(call: Call, params: UniqueIdParams) -> HttpResponse:
    """Set the unique_id of a task.

    A unique_id of another task is refused with 409.
    """
    change = (editing.set_unique_id, call.path["id"], params.unique_id, call.now)
    return HttpResponse(await call.db.write(listing.shown_after, call.caller, *change))


@operations.add(
    "DELETE",
    "/v1/task/{id}/unique_id",
    may=Permission.MANAGE,
    answer=TaskOut,
    locate=locate_task,
    example_answer={name: value for name, value in EXAMPLE_TASK.items() if name != "unique_id"},
)
async def clear_task_unique_id(call: Call, _params: Params) -> HttpResponse:
    """Remove the unique_id of a task, so that another task can use it."""
    change = (editing.set_unique_id, call.path["id"], None, call.now)
    return HttpResponse(await call.db.write(listing.shown_after, call.caller, *change))


class TaskMetadataParams(Params):
    clear: Annotated[bool, Meta(description="Remove all metadata; the body must then be empty.")] | None = None


@operations.add(
    "POST",
    "/v1/task/{id}/setMetadata",
    may=Permission.MANAGE,
    answer=TaskOut,
    params=TaskMetadataParams,
    body=Body.JSON,
    body_schema={"type": "object", "additionalProperties": True},
    locate=locate_task,
    example={"source": "album 4", "reviewed": True},
    example_answer={**EXAMPLE_TASK, "metadata": {"source": "album 4", "reviewed": True}},
)
async def set_task_metadata(call: Call, params: TaskMetadataParams) -> HttpResponse:
    """Replace a task's metadata with the JSON object in the body.

    An empty body is refused if the task has metadata; to remove it, send `clear=true` in the query without a body.
    """
    metadata = {} if call.body is None else call.body
    wrong = None
    if not isinstance(metadata, dict):
        wrong = f"metadata must be a JSON object, not {shown(metadata)}"
    elif params.clear and metadata:
        wrong = f"clear=true takes all metadata away, so the body must be empty, not {shown(metadata)}"
    if wrong is not None:
        await call.db.read(locate_task, call.caller, call.path)  # 404 takes precedence over 400
        raise BadInput(wrong)
    if params.clear:
        cleared = (editing.clear_metadata, call.path["id"], call.now)
        return HttpResponse(await call.db.write(listing.shown_after, call.caller, *cleared))
    change = (editing.set_metadata, call.path["id"], metadata, call.now)
    return HttpResponse(await call.db.write(listing.shown_after, call.caller, *change))


class TagsParams(Params):
    """The tags, if they are not the body itself."""

    tags: list[str] | None = None


TAGS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}},
        {"type": "string"},
        {
            "type": "object",
            "properties": {"tags": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}},
            "additionalProperties": False,
        },
    ]
}


async def _tags(call: Call, params: TagsParams) -> tuple[str, ...]:
    """Returns the tags of a call: a list in the body, `tags` in the body, or `tags` in the query; none if absent."""
    try:
        return creation_policy.tags(_given_tags(call.body, params.tags))
    except BadInput:
        await call.db.read(locate_task, call.caller, call.path)  # 404 takes precedence over 400
        raise


def _given_tags(body: Any, query: list[str] | None) -> Any:
    if isinstance(body, dict):
        unknown = sorted(name for name in body if name != "tags")
        if unknown:
            raise BadInput(f"unknown parameter{'s' if len(unknown) > 1 else ''}: {', '.join(map(shown, unknown))}")
        body = body.get("tags")
    if isinstance(body, str):
        body = [body]
    if body is not None and query is not None and body != query:
        raise BadInput(f"tags is given twice and differs: {shown(query)} and {shown(body)}")
    return body if body is not None else query or []


EXAMPLE_TAGS = ["puppy", "blurred"]
EXAMPLE_TAGGED = {**EXAMPLE_TASK, "tags": EXAMPLE_TAGS}


@operations.add(
    "POST",
    "/v1/task/{id}/tags",
    may=Permission.MANAGE,
    answer=TaskOut,
    params=TagsParams,
    body=Body.JSON,
    body_schema=TAGS_SCHEMA,
    locate=locate_task,
    example=EXAMPLE_TAGS,
    example_answer=EXAMPLE_TAGGED,
)
async def set_task_tags(call: Call, params: TagsParams) -> HttpResponse:
    """Replace a task's tags.

    The body is a list of tags; without a body, all tags are removed.
    """
    change = (editing.set_tags, call.path["id"], await _tags(call, params), call.now)
    return HttpResponse(await call.db.write(listing.shown_after, call.caller, *change))


@operations.add(
    "PUT",
    "/v1/task/{id}/tags",
    may=Permission.MANAGE,
    answer=TaskOut,
    params=TagsParams,
    body=Body.JSON,
    body_schema=TAGS_SCHEMA,
    locate=locate_task,
    example=EXAMPLE_TAGS,
    example_answer=EXAMPLE_TAGGED,
)
async def add_task_tags(call: Call, params: TagsParams) -> HttpResponse:
    """Add tags to a task; tags that it already has are ignored."""
    change = (editing.add_tags, call.path["id"], await _tags(call, params), call.now)
    return HttpResponse(await call.db.write(listing.shown_after, call.caller, *change))


@operations.add(
    "DELETE",
    "/v1/task/{id}/tags",
    may=Permission.MANAGE,
    answer=TaskOut,
    params=TagsParams,
    body=Body.JSON,
    body_schema=TAGS_SCHEMA,
    locate=locate_task,
    example=EXAMPLE_TAGS,
    example_answer=EXAMPLE_TASK,
)
async def remove_task_tags(call: Call, params: TagsParams) -> HttpResponse:
    """Remove tags from a task; tags that it does not have are ignored."""
    change = (editing.remove_tags, call.path["id"], await _tags(call, params), call.now)
    return HttpResponse(await call.db.write(listing.shown_after, call.caller, *change))
