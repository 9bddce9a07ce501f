"""Operations of reviewers."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from refonte_studio import task_types
from refonte_studio.db import Tx
from refonte_studio.dispatch import service as work
from refonte_studio.files import service as files
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.clock import iso
from refonte_studio.reviews import service
from refonte_studio.reviews.model import Review, ReviewDecision, ReviewState, ReviewTask
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import CheckedResponse
from refonte_studio.web import Call, HttpResponse, Operations, Params

operations = Operations("Reviews")


_DECIDED = {"task_id": "64d3b8a6f1c2a4e5b6d7c8f0", "status": "completed", "level": 1, "state": "accepted"}
_EXTENDED = {"review_id": "64d3b8a6f1c2a4e5b6d7c8fb", "lease_expires_at": "2023-08-09T16:42:38.072Z"}


class ClaimReviewParams(Params):
    project: str | None = None
    batch: str | None = None


class ReviewedTask(msgspec.Struct):
    task_id: str
    type: str
    project: str
    batch: str
    instruction: str
    params: dict[str, Any] | msgspec.Raw


class ReviewedAttempt(msgspec.Struct, omit_defaults=True):
    response: dict[str, Any] | msgspec.Raw
    submitted_at: str
    imported: bool = False
    imported_by: str | None = None


class ClaimedReviewOut(msgspec.Struct, omit_defaults=True):
    """A response to decide about, held until the lease expires."""

    review_id: str
    lease_expires_at: str
    level: int
    reason: Annotated[str, Meta(description="`level`: every task is reviewed; `confidence`: its confidence is low.")]
    task: ReviewedTask
    response: dict[str, Any] | msgspec.Raw
    attempts: list[ReviewedAttempt]
    confidence: float | None = None


class AcceptReviewParams(Params):
    comments: str | None = None


class FixReviewParams(Params):
    UNREAD: ClassVar[frozenset[str]] = frozenset({"response"})

    response: dict[str, Any]
    comments: str | None = None


class RejectReviewParams(Params):
    comments: str
    send_to: Literal["same", "different", "anyone"] | None = None


class DecidedOut(msgspec.Struct):
    task_id: str
    status: Annotated[str, Meta(description="Of the task.")]
    level: int
    state: Annotated[str, Meta(description="Of the review: `accepted`, `fixed` or `rejected`.")]


class ExtendedReviewOut(msgspec.Struct):
    review_id: str
    lease_expires_at: str


class ReleasedReviewOut(msgspec.Struct):
    review_id: str


class CommentsOut(msgspec.Struct):
    comments: list[str]


class _Instruction(msgspec.Struct):
    instruction: str | None = None


def _lease_ms(call: Call) -> int:
    return call.studio.settings.lease_s * 1_000


async def _locate(tx: Tx, caller: Caller, path: Mapping[str, str]) -> object:
    return await service.review_of(tx, caller, path["review"])


async def _locate_claim(tx: Tx, caller: Caller, path: Mapping[str, str]) -> object:
    return await work.claim_of(tx, caller, path["claim"])


def _claimed_out(given: ReviewTask) -> ClaimedReviewOut:
    review = given.review
    params = task_types.params_for_labeler(given.type, given.params, review.reviewer_id or "", review.task_id)
    return ClaimedReviewOut(
        review_id=review.id,
        lease_expires_at=_lease(review),
        level=review.level,
        reason=review.reason,
        task=ReviewedTask(
            task_id=review.task_id,
            type=given.type,
            project=given.project,
            batch=given.batch,
            instruction=msgspec.json.decode(params, type=_Instruction).instruction or "",
            params=msgspec.Raw(params),
        ),
        response=msgspec.Raw(review.proposed.encode()),
        attempts=[
            ReviewedAttempt(msgspec.Raw(one.response.encode()), iso(one.submitted_at), one.imported, one.imported_by)
            for one in given.attempts
        ],
        confidence=given.confidence,
    )


def _lease(review: Review) -> str:
    assert review.lease_expires_at is not None, "a held review has a lease"
    return iso(review.lease_expires_at)


@operations.add(
    "POST",
    "/v1/reviews/claim",
    may=Permission.WORK,
    locate=service.check_filters,
    params=ClaimReviewParams,
    answer=ClaimedReviewOut | None,
    errors=(404,),
    example={"project": "Dog breeds"},
    example_answer={
        **_EXTENDED,
        "level": 1,
        "reason": "level",
        "task": {
            "task_id": "64d3b8a6f1c2a4e5b6d7c8f0",
            "type": "categorization",
            "project": "Dog breeds",
            "batch": "Monday",
            "instruction": "Choose the breed.",
            "params": {"attachment": "https://example.com/dog.jpg", "categories": ["collie", "terrier"]},
        },
        "response": {"category": "collie"},
        "attempts": [{"response": {"category": "collie"}, "submitted_at": "2023-08-09T16:12:38.072Z"}],
        "confidence": 0.82,
    },
)
async def claim_review(call: Call, params: ClaimReviewParams) -> ClaimedReviewOut | None:
    """Claim the next review

    Returns the oldest response to decide about in the projects that this person reviews, with a lease. It is never
    their own work: a task that they attempted, fixed, or accepted at an earlier level. If the person already holds a
    review, the call returns that one, whatever the filter. It returns 204 if there is none. The labelers of the
    attempts are not revealed.
    """
    given = await call.db.write(
        service.claim_next, call.caller, params.project, params.batch, _lease_ms(call), call.now
    )
    return _claimed_out(given) if given else None


async def _decide(call: Call, decision: ReviewDecision) -> DecidedOut:
    done = await call.db.write(service.decide, call.caller, call.path["review"], decision, call.now)
    return DecidedOut(done.task_id, done.status, done.level, done.state.value)


@operations.add(
    "POST",
    "/v1/reviews/{review}/accept",
    may=Permission.WORK,
    params=AcceptReviewParams,
    answer=DecidedOut,
    errors=(409,),
    locate=_locate,
    example={"comments": "Clear enough."},
    example_answer=_DECIDED,
)
async def accept_review(call: Call, params: AcceptReviewParams) -> DecidedOut:
    """Accept a response

    It goes to the next level of review or, after the last, completes the task. Repeating the same decision returns the
    same outcome; a different decision or a lost review returns 409.
    """
    return await _decide(call, ReviewDecision(ReviewState.ACCEPTED, params.comments))


@operations.add(
    "POST",
    "/v1/reviews/{review}/fix",
    may=Permission.WORK,
    params=FixReviewParams,
    answer=DecidedOut,
    errors=(409,),
    locate=_locate,
    example={"response": {"category": "terrier"}, "comments": "Look at the ears."},
    example_answer={**_DECIDED, "state": "fixed"},
)
async def fix_review(call: Call, params: FixReviewParams) -> DecidedOut:
    """Replace a response

    The new response is checked against the task's type and parameters. It goes to the next level of review or, after
    the last, completes the task.
    """
    response: dict[str, Any] | CheckedResponse = params.response
    unread = params.unread("response")
    if unread is not None:
        to_check = await call.db.read(service.to_check, call.caller, call.path["review"], call.now)
        checks: tasks.Checks = call.studio.services[tasks.Checks]
        response = await checks.check(to_check, unread)
    return await _decide(call, ReviewDecision(ReviewState.FIXED, params.comments, response=response))


@operations.add(
    "POST",
    "/v1/reviews/{review}/reject",
    may=Permission.WORK,
    params=RejectReviewParams,
    answer=DecidedOut,
    errors=(409,),
    locate=_locate,
    example={"comments": "The box cuts the tail off.", "send_to": "same"},
    example_answer={**_DECIDED, "status": "pending", "state": "rejected"},
)
async def reject_review(call: Call, params: RejectReviewParams) -> DecidedOut:
    """Send a task back

    Its attempts no longer count, and it is done again: by the `same` people, by `different` people, or by `anyone`.
    The default of `send_to` is the project's setting `rejects_to`. The `same` people see the comments.
    """
    return await _decide(call, ReviewDecision(ReviewState.REJECTED, params.comments, sent_to=params.send_to))


@operations.add(
    "POST",
    "/v1/reviews/{review}/extend",
    may=Permission.WORK,
    answer=ExtendedReviewOut,
    errors=(409,),
    locate=_locate,
    example_answer=_EXTENDED,
)
async def extend_review(call: Call, _params: Params) -> ExtendedReviewOut:
    """Renew the lease of a review

    The lease runs for its full length from now.
    """
    review = await call.db.write(service.extend, call.caller, call.path["review"], _lease_ms(call), call.now)
    return ExtendedReviewOut(review.id, _lease(review))


@operations.add(
    "POST",
    "/v1/reviews/{review}/release",
    may=Permission.WORK,
    answer=ReleasedReviewOut,
    errors=(409,),
    locate=_locate,
    example_answer={"review_id": "64d3b8a6f1c2a4e5b6d7c8fb"},
)
async def release_review(call: Call, _params: Params) -> ReleasedReviewOut:
    """Release a review

    It is open again, also to this person.
    """
    review = await call.db.write(service.release, call.caller, call.path["review"], call.now)
    return ReleasedReviewOut(review.id)


@operations.add(
    "GET",
    "/v1/reviews/{review}/files/{id}",
    may=Permission.WORK,
    answer={"type": "string", "format": "binary", "description": "The file's bytes."},
    errors=(409,),
    locate=_locate,
    media_type="application/octet-stream",
)
async def get_review_attachment(call: Call, _params: Params) -> HttpResponse:
    """Get a file of the task under review

    The bytes of an uploaded file (`studio://files/{id}`) that the parameters of the task refer to. A `Range` header
    requests a part of it, which is returned with 206.
    """
    file = await call.db.read(service.attachment_of, call.caller, call.path["review"], call.path["id"], call.now)
    made = files.served(call.db, file, call.range)
    return HttpResponse(made.content, made.status, made.media_type, made.headers)


@operations.add(
    "GET",
    "/v1/work/{claim}/comments",
    may=Permission.WORK,
    answer=CommentsOut,
    locate=_locate_claim,
    example_answer={"comments": ["The box cuts the tail off."]},
)
async def get_comments(call: Call, _params: Params) -> CommentsOut:
    """Get the comments on a rejected attempt

    The reviewers' comments on a task that was sent back to the person who holds it; empty for any other claim.
    """
    return CommentsOut(await call.db.read(service.comments_on, call.caller, call.path["claim"]))
