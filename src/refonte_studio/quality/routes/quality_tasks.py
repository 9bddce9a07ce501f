"""Operations on training and evaluation tasks, and on labelers' attempts at them."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from refonte_studio import task_types
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.clock import iso
from refonte_studio.kit.errors import BadInput
from refonte_studio.kit.pages import PAGE_LIMIT
from refonte_studio.quality import service
from refonte_studio.quality.model import QualityTask
from refonte_studio.quality.routes import standings
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import Kind
from refonte_studio.web import Body, Call, Operations, Params
from refonte_studio.web.params import read_dynamic_params

operations = Operations("Quality")

_BODY_SCHEMA = {
    "type": "object",
    "description": "The parameters of a task of this type, and the expected response.",
    "required": ["expected_response"],
    "properties": {
        "expected_response": {"type": "object", "description": "In the shape of a response of this type."},
        "initial_response": {"type": "object", "description": "The response that the labeler starts from."},
    },
    "additionalProperties": True,
}
_RESPONSES = {"expected_response": {"type": "object"}, "initial_response": {"type": "object"}}
_EXAMPLE = {
    "project": "Dog breeds",
    "attachment": "https://example.com/dog.jpg",
    "categories": ["collie", "terrier"],
    "expected_response": {"category": "collie"},
}


class QualityTaskOut(msgspec.Struct, omit_defaults=True):
    id: str
    expected_response: dict[str, Any] | msgspec.Raw
    initial_response: dict[str, Any] | msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class AttemptsParams(Params):
    quality_task_ids: list[str] | None = None
    labeler_emails: list[str] | None = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT
    next_token: str | None = None


class TrainingAttemptOut(msgspec.Struct):
    id: str
    quality_task_id: str
    project: str
    labeler_email: str
    attempt: int
    score: float
    passed: bool
    response: dict[str, Any] | msgspec.Raw
    expected_response: dict[str, Any] | msgspec.Raw
    started_at: str
    submitted_at: str


class AttemptsOut(msgspec.Struct, omit_defaults=True):
    docs: list[TrainingAttemptOut]
    limit: int
    has_more: bool
    next_token: str | None = None


async def _locate_type(_tx: object, _caller: object, named: Mapping[str, str]) -> None:
    tasks.task_type(named["type"])


def _made(task: QualityTask) -> QualityTaskOut:
    return QualityTaskOut(
        id=task.task_id,
        expected_response=msgspec.Raw(task.expected_response.encode()),
        initial_response=msgspec.Raw(task.initial_response.encode()) if task.initial_response else msgspec.UNSET,
    )


async def _create(call: Call, kind: Kind) -> QualityTaskOut:
    task_type = tasks.task_type(call.path["type"])
    given = read_dynamic_params({**task_types.schemas_of(task_type), **_RESPONSES}, call.body, call.query)
    ready = None
    if call.is_large:
        parameters, responses = service.parted(given)
        project = await call.db.read(tasks.project_before, call.caller, parameters)
        ready = await asyncio.to_thread(
            tasks.prepare_creation, call.caller, task_type.name, parameters, project, responses
        )
    made = (kind, task_type.name, given, call.now, ready)
    return _made(await call.db.write(service.create_quality_task, call.caller, *made))


@operations.add(
    "POST",
    "/v1/training_tasks/{type}",
    may=Permission.MANAGE,
    answer=QualityTaskOut,
    errors=(409,),
    body=Body.OPEN,
    locate=_locate_type,
    body_schema=_BODY_SCHEMA,
    example=_EXAMPLE,
    example_answer={"id": "64d3b8a6f1c2a4e5b6d7c8f0", "expected_response": {"category": "collie"}},
    ignores=("force",),
)
async def create_training_task(call: Call, _params: Params) -> QualityTaskOut:
    """Create a training task

    A training task has an expected response. Everybody who is assigned to the project gets its training tasks before
    real work, in the order of creation, until they pass each. Somebody who uses up the attempts at a task is paused in
    the project.
    """
    return await _create(call, "training")


@operations.add(
    "POST",
    "/v1/evaluation_tasks/{type}",
    may=Permission.MANAGE,
    answer=QualityTaskOut,
    errors=(409,),
    body=Body.OPEN,
    locate=_locate_type,
    body_schema=_BODY_SCHEMA,
    example=_EXAMPLE,
    example_answer={"id": "64d3b8a6f1c2a4e5b6d7c8f0", "expected_response": {"category": "collie"}},
    ignores=("force",),
)
async def create_evaluation_task(call: Call, _params: Params) -> QualityTaskOut:
    """Create an evaluation task

    An evaluation task has an expected response. Everybody gets it once, among the real work and indistinguishable from
    it.
    """
    return await _create(call, "evaluation")


class QualityTaskParams(Params):
    kind: Annotated[Literal["training", "evaluation"], Meta(description="The kind of the new task.")]
    expected_response: Annotated[
        dict[str, Any] | None, Meta(description="The expected response; by default the response of the task.")
    ] = None


async def _locate_task(tx: Tx, caller: Caller, named: Mapping[str, str]) -> object:
    return await tasks.find(tx, caller.team_id, caller.mode, named["id"])


@operations.add(
    "POST",
    "/v1/task/{id}/quality_task",
    may=Permission.MANAGE,
    params=QualityTaskParams,
    answer=QualityTaskOut,
    errors=(409,),
    locate=_locate_task,
    example={"kind": "evaluation"},
    example_answer={"id": "64d3b8a6f1c2a4e5b6d7c8f0", "expected_response": {"category": "collie"}},
)
async def make_quality_task(call: Call, params: QualityTaskParams) -> QualityTaskOut:
    """Create a quality task from a completed task

    Copies a completed task that its last audit accepted or fixed, or that a reviewer decided, into a training or
    evaluation task with the same parameters. People who attempted the source are not given the copy. A second copy of
    the same kind is refused with 409.
    """
    change = (params.kind, params.expected_response, call.now)
    return _made(await call.db.write(service.make_of_task, call.caller, call.path["id"], *change))


@operations.add(
    "GET",
    "/v1/quality/labelers",
    may=Permission.READ,
    params=AttemptsParams,
    answer=AttemptsOut,
    example={"labeler_emails": ["ben@example.com"], "limit": 10},
    example_answer={
        "docs": [
            {
                "id": "64d3b8a6f1c2a4e5b6d7c8f9",
                "quality_task_id": "64d3b8a6f1c2a4e5b6d7c8f0",
                "project": "Dog breeds",
                "labeler_email": "ben@example.com",
                "attempt": 1,
                "score": 1.0,
                "passed": True,
                "response": {"category": "collie"},
                "expected_response": {"category": "collie"},
                "started_at": "2023-08-09T16:12:08.072Z",
                "submitted_at": "2023-08-09T16:12:38.072Z",
            }
        ],
        "limit": 10,
        "has_more": False,
    },
)
async def list_training_attempts(call: Call, params: AttemptsParams) -> AttemptsOut:
    """List training attempts

    Attempts at training and evaluation tasks with their scores, newest first, filtered by task, by labeler, or both.
    """
    for name, given in (("quality_task_ids", params.quality_task_ids), ("labeler_emails", params.labeler_emails)):
        if given == []:
            raise BadInput(f"{name} must not be an empty list")
    page = await call.db.read(
        service.attempts,
        call.caller,
        params.quality_task_ids,
        params.labeler_emails,
        params.limit,
        params.next_token,
    )
    docs = [
        TrainingAttemptOut(
            id=attempt.id,
            quality_task_id=attempt.quality_task_id,
            project=attempt.project,
            labeler_email=attempt.labeler_email,
            attempt=attempt.attempt,
            score=attempt.score,
            passed=attempt.passed,
            response=msgspec.Raw(attempt.response.encode()),
            expected_response=msgspec.Raw(attempt.expected_response.encode()),
            started_at=iso(attempt.started_at),
            submitted_at=iso(attempt.submitted_at),
        )
        for attempt in page.docs
    ]
    return AttemptsOut(docs, page.limit, page.has_more, page.next_token)


operations.extend(standings.operations)
