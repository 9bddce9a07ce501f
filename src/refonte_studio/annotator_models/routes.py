"""Operations on the annotator models of a project."""

from typing import Annotated

import msgspec
from msgspec import Meta

from refonte_studio.annotator_models.service import refitting
from refonte_studio.annotator_models.service.refitting import Estimates
from refonte_studio.kit.caller import Permission
from refonte_studio.kit.clock import iso
from refonte_studio.kit.pages import PAGE_LIMIT
from refonte_studio.projects import service as projects
from refonte_studio.web import Call, Operations, Params

operations = Operations("Quality")


class QuestionOut(msgspec.Struct, kw_only=True):
    """A question that the project's tasks ask; the question "" stands for the response as a whole."""

    question: str
    type: str
    method: str
    tasks: int
    attempts: int
    alpha: float | None  # Krippendorff's; null if all answers are equal or no two people share a task


class EstimatesOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    consensus_method: str
    attempts: int
    waiting: bool  # whether a new estimate is requested
    running: bool  # whether an estimate is in progress
    questions: list[QuestionOut]
    estimated_at: str | None = None

    @classmethod
    def of(cls, found: Estimates) -> "EstimatesOut":
        return cls(
            consensus_method=found.method,
            attempts=found.attempts,
            waiting=found.waiting,
            running=found.running,
            estimated_at=iso(found.done_at) if found.done_at is not None else None,
            questions=[
                QuestionOut(
                    question=each.question,
                    type=each.type,
                    method=each.method,
                    tasks=each.tasks,
                    attempts=each.attempts,
                    alpha=each.alpha,
                )
                for each in found.questions
            ],
        )


class PeopleParams(Params):
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT
    next_token: str | None = None


class AnswersOut(msgspec.Struct, kw_only=True):
    """A person's estimated share of correct answers to one question, and the number of answers it is based on."""

    question: str
    answers: int
    accuracy: float


class PersonOut(msgspec.Struct, kw_only=True):
    labeler_email: str
    questions: list[AnswersOut]


class PeopleOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    docs: list[PersonOut]
    limit: int
    has_more: bool
    next_token: str | None = None


_EXAMPLE = {
    "consensus_method": "default",
    "attempts": 8070,
    "waiting": False,
    "running": False,
    "questions": [
        {
            "question": "category",
            "type": "categorization",
            "method": "default",
            "tasks": 807,
            "attempts": 8070,
            "alpha": 0.45,
        }
    ],
    "estimated_at": "2023-08-09T16:12:38.072Z",
}


@operations.add(
    "GET",
    "/v1/projects/{name}/consensus",
    may=Permission.READ,
    answer=EstimatesOut,
    locate=projects.locate,
    example={},
    example_answer=_EXAMPLE,
)
async def get_consensus(call: Call, _params: Params) -> EstimatesOut:
    """Get the estimates of a project: how much people agree on each question

    The server updates them in the background as attempts arrive; `estimated_at` is absent before the first estimate.
    """
    return EstimatesOut.of(await call.db.read(refitting.estimates, call.caller, call.path["name"]))


@operations.add(
    "POST",
    "/v1/projects/{name}/consensus/estimate",
    may=Permission.MANAGE,
    answer=EstimatesOut,
    locate=projects.locate,
    example_answer={**_EXAMPLE, "waiting": True},
)
async def estimate_consensus(call: Call, _params: Params) -> EstimatesOut:
    """Request new estimates of a project and, with them, new results of its tasks

    The estimates are made in the background; `waiting` is true until then.
    """
    await call.db.write(refitting.ask_for_estimates, call.caller, call.path["name"], call.now)
    return EstimatesOut.of(await call.db.read(refitting.estimates, call.caller, call.path["name"]))


@operations.add(
    "GET",
    "/v1/projects/{name}/consensus/labelers",
    may=Permission.READ,
    params=PeopleParams,
    answer=PeopleOut,
    locate=projects.locate,
    example={"limit": 10},
    example_answer={
        "docs": [
            {
                "labeler_email": "ben@example.com",
                "questions": [{"question": "category", "answers": 74, "accuracy": 0.81}],
            }
        ],
        "limit": 10,
        "has_more": False,
    },
)
async def list_consensus_labelers(call: Call, params: PeopleParams) -> PeopleOut:
    """List people's estimated accuracy at each question of a project"""
    page = await call.db.read(refitting.known_people, call.caller, call.path["name"], params.limit, params.next_token)
    docs = [
        PersonOut(
            labeler_email=person.email,
            questions=[
                AnswersOut(question=each.question, answers=each.answers, accuracy=each.accuracy)
                for each in person.questions
            ],
        )
        for person in page.docs
    ]
    return PeopleOut(docs=docs, limit=page.limit, has_more=page.has_more, next_token=page.next_token)
