"""Operations on people's standing: accuracy and pauses for managers, courses and feedback for labelers."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.clock import iso
from refonte_studio.kit.errors import BadInput
from refonte_studio.kit.pages import PAGE_LIMIT
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import Pause
from refonte_studio.quality import policy, service
from refonte_studio.quality.model import Course, Standing
from refonte_studio.web import Call, Operations, Params

operations = Operations("Quality")
of_work = Operations("Work")

Share = Annotated[float, Meta(ge=0, le=1)]
CourseState = Literal["open", "passed", "paused"]
_PAUSE = {
    "labeler_email": "ben@example.com",
    "project": "Dog breeds",
    "paused_at": "2023-08-09T16:12:38.072Z",
    "reason": "accuracy 0.40 in 10 evaluation tasks is below 0.60",
}


async def _locate_project(tx: Tx, caller: Caller, named: Mapping[str, str]) -> object:
    project = named.get("project")
    return None if project is None else await projects.find(tx, caller.team_id, caller.mode, project)


class AccuracyParams(Params):
    project: str | None = None
    labeler_emails: list[str] | None = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT
    next_token: str | None = None


class TrainingOut(msgspec.Struct):
    """A labeler's progress in a project's training."""

    tasks: int
    passed: int
    state: CourseState


class StandingOut(msgspec.Struct):
    """A labeler's standing in a project. Work from before a pause was last lifted does not count."""

    labeler_email: str
    project: str
    evaluated: Annotated[int, Meta(description="Evaluation tasks done.")]
    passed: int
    low: Annotated[Share, Meta(description="Lower end of the 95 % interval (Wilson) of the accuracy.")]
    high: Share
    training: TrainingOut
    paused: bool
    accuracy: Annotated[Share, Meta(description="Share of evaluation tasks passed; absent if none is done.")] | (
        UnsetType
    ) = UNSET
    mean_score: Annotated[Share, Meta(description="Absent if no evaluation task is done.")] | UnsetType = UNSET
    paused_at: str | UnsetType = UNSET
    pause_reason: str | UnsetType = UNSET

    @classmethod
    def of(cls, standing: Standing) -> "StandingOut":
        tally, course = standing.tally, standing.course
        low, high = policy.wilson(tally.passed, tally.evaluated)
        return cls(
            labeler_email=standing.email,
            project=course.project,
            evaluated=tally.evaluated,
            passed=tally.passed,
            low=low,
            high=high,
            training=TrainingOut(course.tasks, course.passed, course.state.value),
            paused=standing.paused_at is not None,
            accuracy=tally.accuracy if tally.evaluated else UNSET,
            mean_score=tally.mean_score if tally.evaluated else UNSET,
            paused_at=iso(standing.paused_at) if standing.paused_at is not None else UNSET,
            pause_reason=standing.pause_reason or UNSET,
        )


class LabelerAccuracyOut(msgspec.Struct, omit_defaults=True):
    docs: list[StandingOut]
    limit: int
    has_more: bool
    next_token: str | None = None


@operations.add(
    "GET",
    "/v1/quality/accuracy",
    may=Permission.READ,
    params=AccuracyParams,
    answer=LabelerAccuracyOut,
    errors=(404,),
    locate=_locate_project,
    example={"project": "Dog breeds"},
    example_answer={
        "docs": [
            {
                "labeler_email": "ben@example.com",
                "project": "Dog breeds",
                "evaluated": 10,
                "passed": 4,
                "low": 0.168,
                "high": 0.687,
                "training": {"tasks": 3, "passed": 3, "state": "paused"},
                "paused": True,
                "accuracy": 0.4,
                "mean_score": 0.45,
                "paused_at": "2023-08-09T16:12:38.072Z",
                "pause_reason": "accuracy 0.40 in 10 evaluation tasks is below 0.60",
            }
        ],
        "limit": 100,
        "has_more": False,
    },
)
async def list_accuracy(call: Call, params: AccuracyParams) -> LabelerAccuracyOut:
    """List the standing of labelers

    One entry for each active person in each project that they are assigned to: accuracy in evaluation tasks with its
    95 % interval, training, pause. The accuracy is based on these tasks alone: with few of them, the interval is wide.
    """
    if params.labeler_emails == []:
        raise BadInput("labeler_emails must not be an empty list")
    page = await call.db.read(
        service.accuracy, call.caller, params.project, params.labeler_emails, params.limit, params.next_token
    )
    return LabelerAccuracyOut([StandingOut.of(each) for each in page.docs], page.limit, page.has_more, page.next_token)


class PausesParams(Params):
    project: str | None = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT
    next_token: str | None = None


class PauseOut(msgspec.Struct):
    """A labeler who may not claim in a project."""

    labeler_email: str
    project: str
    paused_at: str
    reason: str

    @classmethod
    def of(cls, pause: Pause) -> "PauseOut":
        return cls(pause.email, pause.project, iso(pause.paused_at or 0), pause.reason or "")


class PausesOut(msgspec.Struct, omit_defaults=True):
    docs: list[PauseOut]
    limit: int
    has_more: bool
    next_token: str | None = None


class PausesNowOut(msgspec.Struct):
    docs: list[PauseOut]


@operations.add(
    "GET",
    "/v1/quality/pauses",
    may=Permission.READ,
    params=PausesParams,
    answer=PausesOut,
    errors=(404,),
    locate=_locate_project,
    example={"project": "Dog breeds"},
    example_answer={"docs": [_PAUSE], "limit": 100, "has_more": False},
)
async def list_pauses(call: Call, params: PausesParams) -> PausesOut:
    """List paused labelers

    In one project, or in all.
    """
    page = await call.db.read(service.pauses, call.caller, params.project, params.limit, params.next_token)
    return PausesOut([PauseOut.of(each) for each in page.docs], page.limit, page.has_more, page.next_token)


class AddPausesParams(Params):
    ALIASES: ClassVar[Mapping[str, str]] = {"email": "emails"}

    project: str
    emails: list[str]
    reason: str | None = None


class LiftPausesParams(Params):
    ALIASES: ClassVar[Mapping[str, str]] = {"email": "emails"}

    project: str
    emails: list[str]


@operations.add(
    "POST",
    "/v1/quality/pauses/add",
    may=Permission.MANAGE,
    params=AddPausesParams,
    answer=PausesNowOut,
    example={"project": "Dog breeds", "emails": ["ben@example.com"], "reason": "Let us talk first."},
    example_answer={"docs": [{**_PAUSE, "reason": "Let us talk first."}]},
)
async def add_pauses(call: Call, params: AddPausesParams) -> PausesNowOut:
    """Pause labelers in a project

    They finish what they hold and get no more work of the project until the pause is lifted. For somebody who is paused
    already, the first reason is kept.
    """
    change = (params.project, params.emails, params.reason, call.now)
    return PausesNowOut([PauseOut.of(each) for each in await call.db.write(service.add_pauses, call.caller, *change)])


@operations.add(
    "POST",
    "/v1/quality/pauses/lift",
    may=Permission.MANAGE,
    params=LiftPausesParams,
    answer=PausesNowOut,
    example={"project": "Dog breeds", "emails": ["ben@example.com"]},
    example_answer={"docs": []},
)
async def lift_pauses(call: Call, params: LiftPausesParams) -> PausesNowOut:
    """Lift labelers' pauses in a project

    Their evaluation restarts, and they can do training that they have not passed again, with all its attempts. Returns
    the pauses that these people still have in the project: none.
    """
    left = await call.db.write(service.lift_pauses, call.caller, params.project, params.emails, call.now)
    return PausesNowOut([PauseOut.of(each) for each in left])


class CourseOut(msgspec.Struct):
    """A project's training, for one labeler."""

    project: str
    tasks: int
    passed: int
    left: int
    state: CourseState

    @classmethod
    def of(cls, course: Course) -> "CourseOut":
        return cls(course.project, course.tasks, course.passed, course.left, course.state.value)


class CoursesOut(msgspec.Struct):
    projects: list[CourseOut]


@of_work.add(
    "GET",
    "/v1/work/training",
    may=Permission.WORK,
    answer=CoursesOut,
    example_answer={"projects": [{"project": "Dog breeds", "tasks": 3, "passed": 1, "left": 2, "state": "open"}]},
)
async def list_courses(call: Call, _params: Params) -> CoursesOut:
    """List your own training

    Your progress in each project that has training. Training that is left comes before real work; `paused` means that
    you get no work of the project until a manager lifts the pause.
    """
    return CoursesOut([CourseOut.of(course) for course in await call.db.read(service.courses, call.caller)])


class FeedbackOut(msgspec.Struct):
    """The submitted and the expected response of a training task."""

    claim_id: str
    task_id: str
    score: Share
    passed: bool
    attempt: Annotated[int, Meta(description="Attempt number, starting at 1.")]
    attempts_left: int
    response: dict[str, Any] | msgspec.Raw
    expected_response: dict[str, Any] | msgspec.Raw


async def _locate_feedback(tx: Tx, caller: Caller, named: Mapping[str, str]) -> object:
    return await service.feedback(tx, caller, named["claim"])


@of_work.add(
    "GET",
    "/v1/work/{claim}/feedback",
    may=Permission.WORK,
    answer=FeedbackOut,
    locate=_locate_feedback,
    example_answer={
        "claim_id": "64d3b8a6f1c2a4e5b6d7c8f9",
        "task_id": "64d3b8a6f1c2a4e5b6d7c8f0",
        "score": 0.0,
        "passed": False,
        "attempt": 1,
        "attempts_left": 2,
        "response": {"category": "terrier"},
        "expected_response": {"category": "collie"},
    },
)
async def get_feedback(call: Call, _params: Params) -> FeedbackOut:
    """Get feedback on a training task

    For your own submitted attempt at a training task, if the project gives feedback. For anything else the call returns
    404, always with the same text.
    """
    found = await call.db.read(service.feedback, call.caller, call.path["claim"])
    return FeedbackOut(
        claim_id=found.claim_id,
        task_id=call.caller.id_of(found.task_id),
        score=found.score,
        passed=found.passed,
        attempt=found.attempt,
        attempts_left=found.attempts_left,
        response=msgspec.Raw(found.response.encode()),
        expected_response=msgspec.Raw(found.expected_response.encode()),
    )


operations.extend(of_work)
