"""Operations on the pipeline of a Studio project."""

import msgspec

from refonte_studio.kit.caller import Permission
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import ProjectOut, QualitySettings
from refonte_studio.tasks.service import pipeline
from refonte_studio.web import Call, Operations, Params

operations = Operations("Studio Actions")


class SendParams(Params):
    """The batches; `all_batches: true` takes precedence over `batches`."""

    all_batches: bool | None = None
    batches: list[str] | None = None


class SentBatchOut(msgspec.Struct, kw_only=True):
    """The number of tasks of a batch that the call completed, and that are still pending."""

    name: str
    completed: int
    pending: int


class SentOut(msgspec.Struct, kw_only=True):
    """The outcome of the call; `completed` is the sum over its batches."""

    project: str
    completed: int
    batches: list[SentBatchOut]


class PipelineParams(Params):
    pipeline: str | None = None
    consensus_attempts: int | None = None
    min_attempts: int | None = None
    target_confidence: float | None = None


class QualityParams(Params):
    """A setting that is left out keeps its value, unless it is listed in `reset`."""

    reset: list[str] | None = None

    consensus_method: str | None = None
    min_attempts: int | None = None
    target_confidence: float | None = None
    review_levels: int | None = None
    review_below: float | None = None
    rejects_to: str | None = None
    audit_rate: float | None = None
    pass_mark: float | None = None
    training_attempts: int | None = None
    training_feedback: bool | None = None
    evaluation_rate: float | None = None
    pause_below: float | None = None
    pause_after: int | None = None


class QualityOut(msgspec.Struct, kw_only=True):
    """All quality settings of a project."""

    consensus_method: str
    min_attempts: int | None
    target_confidence: float | None
    review_levels: int
    review_below: float | None
    rejects_to: str
    audit_rate: float
    pass_mark: float
    training_attempts: int
    training_feedback: bool
    evaluation_rate: float
    pause_below: float | None
    pause_after: int

    @classmethod
    def of(cls, settings: QualitySettings) -> "QualityOut":
        return cls(**msgspec.structs.asdict(settings))


EXAMPLE_PIPELINE = {"pipeline": "consensus_task", "consensus_attempts": 3}
EXAMPLE_PROJECT = {
    "id": "653a4a1e8f1d2e3a4b5c6d01",
    "name": "Dog breeds",
    "type": "categorization",
    "created_at": "2023-10-26T11:14:38.330Z",
    "studio": True,
    "rapid": False,
    "archived": False,
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


@operations.add(
    ("POST", "GET"),
    "/v1/studio/projects/{projectName}/send_tasks_to_completed",
    may=Permission.MANAGE,
    answer=SentOut,
    params=SendParams,
    locate=projects.locate,
    deprecated=("GET",),
    example={"batches": ["October photographs"]},
    example_answer={
        "project": "Dog breeds",
        "completed": 12,
        "batches": [{"name": "October photographs", "completed": 12, "pending": 3}],
    },
)
async def send_tasks_to_completed(call: Call, params: SendParams) -> SentOut:
    """Complete every pending task that has at least one attempt, with the result of its attempts.

    This applies to the named batches, or with `all_batches` to all batches of the project. Tasks without an attempt
    stay pending. Claims on the completed tasks end; submitting them later returns 409.
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
    adaptive = {"min_attempts": params.min_attempts, "target_confidence": params.target_confidence}
    return await call.db.write(
        pipeline.update_pipeline,
        call.caller,
        call.path["name"],
        params.pipeline,
        params.consensus_attempts,
        {name: value for name, value in adaptive.items() if value is not None},
        call.now,
    )


@operations.add(
    ("POST", "PUT"),
    "/v1/projects/{name}/updatePipelineConfig",
    may=Permission.MANAGE,
    answer=ProjectOut,
    params=PipelineParams,
    locate=projects.locate,
    example=EXAMPLE_PIPELINE,
    example_answer=EXAMPLE_PROJECT,
)
async def update_pipeline_config(call: Call, params: PipelineParams) -> ProjectOut:
    """Set the pipeline of a Studio project.

    `standard_task`: one attempt completes a task. `consensus_task`: `consensus_attempts` (2 to 15) attempts by
    different people complete it. With `min_attempts` and `target_confidence`, `consensus_attempts` is the maximum: the
    task first gets `min_attempts` attempts, then one more at a time until its confidence reaches the target. If only
    one of the two is given, the other gets its default: a confidence of 0.9, or a third of the maximum but at least 2
    attempts.
    Open tasks follow at once; those that now have enough attempts are completed.
    """
    return await _update(call, params)


@operations.add(
    ("POST", "PUT"),
    "/v1/studio/projects/{name}/updatePipelineConfig",
    may=Permission.MANAGE,
    answer=ProjectOut,
    params=PipelineParams,
    locate=projects.locate,
    example=EXAMPLE_PIPELINE,
    example_answer=EXAMPLE_PROJECT,
)
async def update_studio_pipeline_config(call: Call, params: PipelineParams) -> ProjectOut:
    """Set the pipeline of a Studio project, under its other path."""
    return await _update(call, params)


_EXAMPLE_QUALITY = {
    "consensus_method": "default",
    "min_attempts": 2,
    "target_confidence": 0.95,
    "review_levels": 0,
    "review_below": 0.6,
    "rejects_to": "different",
    "audit_rate": 0.05,
    "pass_mark": 0.8,
    "training_attempts": 3,
    "training_feedback": True,
    "evaluation_rate": 0.1,
    "pause_below": 0.6,
    "pause_after": 10,
}


@operations.add(
    "GET",
    "/v1/projects/{name}/quality",
    may=Permission.READ,
    answer=QualityOut,
    locate=projects.locate,
    example={},
    example_answer=_EXAMPLE_QUALITY,
)
async def get_quality_settings(call: Call, _params: Params) -> QualityOut:
    """Get a project's quality settings: consensus, review, audit, training, evaluation."""
    return QualityOut.of(await call.db.read(pipeline.quality_settings, call.caller, call.path["name"]))


@operations.add(
    ("POST", "PUT"),
    "/v1/projects/{name}/quality",
    may=Permission.MANAGE,
    answer=QualityOut,
    params=QualityParams,
    locate=projects.locate,
    example={"review_below": 0.6, "pause_below": 0.6},
    example_answer=_EXAMPLE_QUALITY,
)
async def set_quality_settings(call: Call, params: QualityParams) -> QualityOut:
    """Change some of a project's quality settings; those listed in `reset` return to their defaults.

    If `consensus_method` changes, the results of the project are recomputed in the background. Open tasks follow at
    once; open reviews continue.
    """
    given = {name: value for name, value in msgspec.structs.asdict(params).items() if value is not None}
    given.update(dict.fromkeys(given.pop("reset", ())))
    return QualityOut.of(await call.db.write(pipeline.set_quality, call.caller, call.path["name"], given, call.now))
