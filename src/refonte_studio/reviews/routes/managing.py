"""Operations of managers: reviewers, the list of reviews, due audits, and the history of a task."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from refonte_studio.batches import service as batches
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.clock import iso
from refonte_studio.kit.pages import PAGE_LIMIT
from refonte_studio.projects import service as projects
from refonte_studio.reviews.model import AuditDue, Review, ReviewState, ReviewSummary, TaskEvent
from refonte_studio.reviews.service import history, lists, reviewers
from refonte_studio.tasks import service as tasks
from refonte_studio.web import Call, Operations, Params

operations = Operations("Reviews")

_REVIEWERS = ["dee@example.com", "mia@example.com"]
_TASK_ID = "64d3b8a6f1c2a4e5b6d7c8f0"


class ReviewersParams(Params):
    ALIASES: ClassVar[Mapping[str, str]] = {"email": "emails"}

    emails: list[str]


class ReviewsParams(Params):
    project: str | None = None
    state: (
        Annotated[
            str,
            Meta(description="Only those that are `open`, `held`, `accepted`, `fixed`, `rejected` or `ended`."),
        ]
        | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT
    next_token: str | None = None


class ReviewOut(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One level of a round of review."""

    review_id: str
    task_id: str
    project: str
    batch: str | UnsetType = UNSET
    level: int
    state: str
    reason: str
    created_at: str
    proposed: dict[str, Any] | msgspec.Raw
    response: dict[str, Any] | msgspec.Raw | UnsetType = UNSET
    reviewer: str | UnsetType = UNSET
    comments: str | UnsetType = UNSET
    send_to: str | UnsetType = UNSET
    started_at: str | UnsetType = UNSET
    lease_expires_at: str | UnsetType = UNSET
    decided_at: str | UnsetType = UNSET
    duration_ms: int | UnsetType = UNSET

    @classmethod
    def of(cls, listed: ReviewSummary) -> "ReviewOut":
        review = listed.review
        held = review.state is ReviewState.HELD
        return cls(
            review_id=review.id,
            task_id=review.task_id,
            project=listed.project,
            batch=_known(listed.batch),
            level=review.level,
            state=review.state.value,
            reason=review.reason,
            created_at=iso(review.created_at),
            proposed=msgspec.Raw(review.proposed.encode()),
            response=_response(review),
            reviewer=_known(listed.reviewer),
            comments=_known(review.comments),
            send_to=_known(review.sent_to),
            started_at=_time(review.started_at),
            lease_expires_at=_time(review.lease_expires_at) if held else UNSET,
            decided_at=_time(review.decided_at),
            duration_ms=review.took_ms if review.took_ms is not None else UNSET,
        )


def _known(value: str | None) -> str | UnsetType:
    return UNSET if value is None else value


def _time(at: int | None) -> str | UnsetType:
    return UNSET if at is None else iso(at)


def _response(review: Review) -> msgspec.Raw | UnsetType:
    return UNSET if review.response is None else msgspec.Raw(review.response.encode())


class ReviewsOut(msgspec.Struct, omit_defaults=True):
    docs: list[ReviewOut]
    limit: int
    has_more: bool
    next_token: str | None = None


class AuditsDueParams(Params):
    project: str
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT
    next_token: str | None = None


class AuditDueOut(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A completed task that is due for an audit."""

    task_id: str
    project: str
    batch: str | UnsetType = UNSET
    type: str
    params: dict[str, Any] | msgspec.Raw
    response: dict[str, Any] | msgspec.Raw
    confidence: float | UnsetType = UNSET
    agreement: float | UnsetType = UNSET
    completed_at: str

    @classmethod
    def of(cls, due: AuditDue) -> "AuditDueOut":
        return cls(
            task_id=due.task_id,
            project=due.project,
            batch=_known(due.batch),
            type=due.type,
            params=msgspec.Raw(due.params.encode()),
            response=msgspec.Raw(due.response.encode()),
            confidence=UNSET if due.confidence is None else due.confidence,
            agreement=UNSET if due.agreement is None else due.agreement,
            completed_at=iso(due.completed_at),
        )


class AuditsDueOut(msgspec.Struct, omit_defaults=True):
    docs: list[AuditDueOut]
    limit: int
    has_more: bool
    next_token: str | None = None


class TaskHistoryOut(msgspec.Struct):
    """Everything that happened to a task, oldest first."""

    task_id: str
    instructions_version: Annotated[int, Meta(description="Version of the project's parameters that it inherited.")]
    events: list[dict[str, Any]]
    whole: Annotated[bool, Meta(description="Whether the list is complete; it shows at most 1,000 of each kind.")]


async def _project(tx: Tx, caller: Caller, path: Mapping[str, str]) -> object:
    return await projects.find(tx, caller.team_id, caller.mode, path["name"])


async def _task(tx: Tx, caller: Caller, path: Mapping[str, str]) -> object:
    return await tasks.find(tx, caller.team_id, caller.mode, path["id"])


@operations.add(
    "GET",
    "/v1/projects/{name}/reviewers",
    may=Permission.READ,
    answer=list[str],
    locate=_project,
    example={},
    example_answer=_REVIEWERS,
)
async def list_reviewers(call: Call, _params: Params) -> list[str]:
    """List the e-mail addresses of a project's reviewers."""
    return await call.db.read(reviewers.reviewers, call.caller, call.path["name"])


@operations.add(
    "POST",
    "/v1/projects/{name}/reviewers/add",
    may=Permission.MANAGE,
    params=ReviewersParams,
    answer=list[str],
    locate=_project,
    example={"emails": ["mia@example.com"]},
    example_answer=_REVIEWERS,
)
async def add_reviewers(call: Call, params: ReviewersParams) -> list[str]:
    """Let people review a project's tasks.

    Active teammates of any role; they need not be assigned to the project. Nobody reviews their own work.
    """
    return await call.db.write(reviewers.add_reviewers, call.caller, call.path["name"], params.emails, call.now)


@operations.add(
    "POST",
    "/v1/projects/{name}/reviewers/remove",
    may=Permission.MANAGE,
    params=ReviewersParams,
    answer=list[str],
    locate=_project,
    example={"emails": ["ben@example.com"]},
    example_answer=_REVIEWERS,
)
async def remove_reviewers(call: Call, params: ReviewersParams) -> list[str]:
    """Remove reviewers of a project.

    A review that they hold is reopened for others; their decisions stay.
    """
    return await call.db.write(reviewers.remove_reviewers, call.caller, call.path["name"], params.emails)


@operations.add(
    "GET",
    "/v1/reviews",
    may=Permission.READ,
    params=ReviewsParams,
    answer=ReviewsOut,
    errors=(404,),
    locate=batches.check_filters,
    example={"project": "Dog breeds", "state": "rejected"},
    example_answer={
        "docs": [
            {
                "review_id": "64d3b8a6f1c2a4e5b6d7c8fb",
                "task_id": _TASK_ID,
                "project": "Dog breeds",
                "batch": "Monday",
                "level": 1,
                "state": "rejected",
                "reason": "level",
                "created_at": "2023-08-09T16:12:38.072Z",
                "proposed": {"category": "collie"},
                "reviewer": "mia@example.com",
                "comments": "Look at the ears.",
                "send_to": "same",
                "started_at": "2023-08-09T16:20:00.000Z",
                "decided_at": "2023-08-09T16:20:41.500Z",
                "duration_ms": 41_500,
            }
        ],
        "limit": 100,
        "has_more": False,
    },
)
async def list_reviews(call: Call, params: ReviewsParams) -> ReviewsOut:
    """List reviews

    Newest first, in pages.
    """
    page = await call.replica.read(
        lists.reviews, call.caller, params.project, params.state, params.limit, params.next_token
    )
    return ReviewsOut([ReviewOut.of(one) for one in page.docs], page.limit, page.has_more, page.next_token)


@operations.add(
    "GET",
    "/v1/audits/due",
    may=Permission.READ,
    params=AuditsDueParams,
    answer=AuditsDueOut,
    errors=(404,),
    locate=batches.check_filters,
    example={"project": "Dog breeds"},
    example_answer={
        "docs": [
            {
                "task_id": _TASK_ID,
                "project": "Dog breeds",
                "batch": "Monday",
                "type": "categorization",
                "params": {"attachment": "https://example.com/dog.jpg", "categories": ["collie", "terrier"]},
                "response": {"category": "collie"},
                "confidence": 0.93,
                "agreement": 1.0,
                "completed_at": "2023-08-09T16:12:38.072Z",
            }
        ],
        "limit": 100,
        "has_more": False,
    },
)
async def list_audits_due(call: Call, params: AuditsDueParams) -> AuditsDueOut:
    """List tasks that are due for an audit

    Completed tasks of a project that are sampled by its `audit_rate` and not audited yet, oldest first, in pages;
    without those that the caller attempted or reviewed. The sample depends only on the ids of the tasks.
    """
    page = await call.db.read(lists.audits_due, call.caller, params.project, params.limit, params.next_token)
    return AuditsDueOut([AuditDueOut.of(due) for due in page.docs], page.limit, page.has_more, page.next_token)


@operations.add(
    "GET",
    "/v1/task/{id}/history",
    may=Permission.READ,
    answer=TaskHistoryOut,
    locate=_task,
    example={},
    example_answer={
        "task_id": _TASK_ID,
        "instructions_version": 2,
        "events": [
            {"at": "2023-08-09T16:00:00.000Z", "event": "created", "instructions_version": 2, "kind": "work"},
            {
                "at": "2023-08-09T16:12:00.000Z",
                "event": "claimed",
                "who": "ben@example.com",
                "claim_id": "64d3b8a6f1c2a4e5b6d7c8f9",
                "instructions_version": 2,
            },
            {
                "at": "2023-08-09T16:12:38.072Z",
                "event": "submitted",
                "who": "ben@example.com",
                "claim_id": "64d3b8a6f1c2a4e5b6d7c8f9",
                "instructions_version": 2,
                "duration_ms": 38_072,
                "round": 1,
                "rejected": False,
            },
            {
                "at": "2023-08-09T16:12:38.072Z",
                "event": "completed",
                "confidence": 0.82,
                "agreement": 1.0,
                "reviewed": False,
            },
        ],
        "whole": True,
    },
)
async def get_task_history(call: Call, _params: Params) -> TaskHistoryOut:
    """Get the history of a task

    Who did what and when, by which version of the project's instructions, and how long it took by the server's clock,
    oldest first: `created`, `claimed`, `submitted`, `skipped`, `released`, `expired`, `ended`, `review_opened`,
    `review_accepted`, `review_fixed`, `review_rejected`, `review_ended`, `completed`, `canceled`, `audited`.
    """
    found = await call.replica.read(history.history, call.caller, call.path["id"])
    events = [_event(happening) for happening in found.happenings]
    return TaskHistoryOut(found.task_id, found.instructions_version, events, found.whole)


def _event(happening: TaskEvent) -> dict[str, Any]:
    event: dict[str, Any] = {"at": iso(happening.at), "event": happening.event}
    if happening.who is not None:
        event["who"] = happening.who
    return event | dict(happening.more)
