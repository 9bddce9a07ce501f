"""Operations on the pipeline of a Studio project."""

from collections.abc import Mapping

import msgspec

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import ProjectOut
from refonte_studio.tasks import pipeline
from refonte_studio.web import Call, Operations, Params

operations = Operations("Studio Actions")


class SendParams(Params):
    """Which batches; `all_batches: true` wins."""

    all_batches: bool | None = None
    batches: list[str] | None = None


class SentBatchOut(msgspec.Struct, kw_only=True):
    """What the call did to a batch, and how many of its tasks are pending still."""

    name: str
    completed: int
    pending: int


class SentOut(msgspec.Struct, kw_only=True):
    """What the call did: `completed` is the sum over its batches."""

    project: str
    completed: int
    batches: list[SentBatchOut]


class PipelineParams(Params):
    pipeline: str | None = None
    consensus_attempts: int | None = None


EXAMPLE_PIPELINE = {"pipeline": "consensus_task", "consensus_attempts": 3}
EXAMPLE_PROJECT = {
    "id": "653a4a1e8f1d2e3a4b5c6d01",
    "name": "Dog breeds",
    "type": "categorization",
    "created_at": "2023-10-26T11:14:38.330Z",
    "studio": True,
    "rapid": False,
    "version": 1,
    "params": {"instruction": "Which breed is the dog in the photograph?"},
    "param_history": [
        {
            "instruction": "Which breed is the dog in the photograph?",
            "version": 1,
            "created_at": "2023-10-26T11:14:38.330Z",
        }
    ],
    **EXAMPLE_PIPELINE,
}


async def locate_project(tx: Tx, caller: Caller, path: Mapping[str, str]) -> object:
    return await projects.find(tx, caller.team_id, caller.mode, path.get("projectName") or path["name"])


@operations.add(
    ("POST", "GET"),
    "/v1/studio/projects/{projectName}/send_tasks_to_completed",
    may=Permission.MANAGE,
    answer=SentOut,
    params=SendParams,
    locate=locate_project,
    deprecated=("GET",),
    example={"batches": ["October photographs"]},
    example_answer={
        "project": "Dog breeds",
        "completed": 12,
        "batches": [{"name": "October photographs", "completed": 12, "pending": 3}],
    },
)
async def send_tasks_to_completed(call: Call, params: SendParams) -> SentOut:
    """Complete every pending task that has at least one attempt, with the result its attempts give.

    In the named batches, or in all of the project's with `all_batches`. Tasks without an attempt stay pending.
    Claims held on completed tasks end; their later submission is answered 409.
    """
    name = call.path["projectName"]
    sent = await call.db.write(
        pipeline.send_to_completed, call.caller, name, bool(params.all_batches), params.batches, call.now
    )
    return SentOut(
        project=name,
        completed=sum(one.completed for one in sent),
        batches=[SentBatchOut(name=one.name, completed=one.completed, pending=one.pending) for one in sent],
    )


async def _update(call: Call, params: PipelineParams) -> ProjectOut:
    return await call.db.write(
        pipeline.update_pipeline,
        call.caller,
        call.path["name"],
        params.pipeline,
        params.consensus_attempts,
        call.now,
    )


@operations.add(
    ("POST", "PUT"),
    "/v1/projects/{name}/updatePipelineConfig",
    may=Permission.MANAGE,
    answer=ProjectOut,
    params=PipelineParams,
    locate=locate_project,
    example=EXAMPLE_PIPELINE,
    example_answer=EXAMPLE_PROJECT,
)
async def update_pipeline_config(call: Call, params: PipelineParams) -> ProjectOut:
    """Set the pipeline of a Studio project.

    `standard_task`: one attempt completes a task. `consensus_task`: `consensus_attempts` (2 to 15) by different people
    do. Open tasks follow at once, and one that has enough attempts now completes.
    """
    return await _update(call, params)


@operations.add(
    ("POST", "PUT"),
    "/v1/studio/projects/{name}/updatePipelineConfig",
    may=Permission.MANAGE,
    answer=ProjectOut,
    params=PipelineParams,
    locate=locate_project,
    example=EXAMPLE_PIPELINE,
    example_answer=EXAMPLE_PROJECT,
)
async def update_studio_pipeline_config(call: Call, params: PipelineParams) -> ProjectOut:
    """Set the pipeline of a Studio project, under its other path."""
    return await _update(call, params)
