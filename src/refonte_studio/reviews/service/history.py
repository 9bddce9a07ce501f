"""The use-case of a task's history: who did what and when, by which version of the instructions, and how long."""

from collections.abc import Iterator, Sequence

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.reviews.model import DECIDED, PastAudit, PastClaim, PastReview, TaskEvent, TaskHistory
from refonte_studio.reviews.policy import in_order, said
from refonte_studio.reviews.store import history as history_store
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import ReviewStatus, Task, TaskStatus

LIMIT = 1_000  # upper bound on each of the claims, reviews and audits that are shown


async def history(tx: Tx, caller: Caller, task_id: str) -> TaskHistory:
    """Returns everything that happened to a task, oldest first, from its claims, attempts, reviews and audits.

    Raises NotFound.
    """
    task = await tasks.find(tx, caller.team_id, caller.mode, task_id)
    claims = await history_store.claims(tx, task.team_id, task.id, LIMIT + 1)
    reviews = await history_store.reviews(tx, task.team_id, task.id, LIMIT + 1)
    audits = await history_store.audits(tx, task.team_id, task.id, LIMIT + 1)
    happenings = [
        *_of_task(task),
        *(one for claim in claims[:LIMIT] for one in _of_claim(claim, task)),
        *(one for review in reviews[:LIMIT] for one in _of_review(review)),
        *_of_audits(audits[:LIMIT], task),
    ]
    whole = max(map(len, (claims, reviews, audits))) <= LIMIT
    return TaskHistory(task.id, task.project_version, in_order(happenings), whole)


def _of_task(task: Task) -> Iterator[TaskEvent]:
    yield TaskEvent(task.created_at, "created", None, said(instructions_version=task.project_version, kind=task.kind))
    if task.status is TaskStatus.COMPLETED and task.completed_at is not None:
        more = said(confidence=task.confidence, agreement=task.agreement, reviewed=task.reviewed)
        yield TaskEvent(task.completed_at, "completed", None, more)
    elif task.status is TaskStatus.CANCELED:
        yield TaskEvent(task.updated_at, "canceled")


def _of_claim(claim: PastClaim, task: Task) -> Iterator[TaskEvent]:
    said_of_all = {"claim_id": claim.id, "instructions_version": task.project_version}
    if claim.imported and claim.submitted_at is not None:  # an external attempt: its duration is unknown
        more = said(
            imported=True, imported_by=claim.imported_by, round=claim.round, rejected=claim.rejected_at is not None
        )
        yield TaskEvent(claim.submitted_at, "submitted", claim.email, more)
        return
    yield TaskEvent(claim.claimed_at, "claimed", claim.email, said(**said_of_all))
    if claim.submitted_at is not None and claim.started_at is not None:
        more = said(
            **said_of_all,
            duration_ms=claim.submitted_at - claim.started_at,
            round=claim.round,
            rejected=claim.rejected_at is not None,
        )
        yield TaskEvent(claim.submitted_at, "submitted", claim.email, more)
    elif claim.ended_at is not None:
        yield TaskEvent(claim.ended_at, claim.state, claim.email, said(claim_id=claim.id, reason=claim.reason))


def _of_review(review: PastReview) -> Iterator[TaskEvent]:
    level = review.level
    yield TaskEvent(review.created_at, "review_opened", None, said(level=level, reason=review.reason))
    if review.decided_at is None:
        return
    if review.state not in DECIDED:
        yield TaskEvent(review.decided_at, "review_ended", None, said(level=level))
        return
    more = said(
        level=level,
        duration_ms=None if review.started_at is None else review.decided_at - review.started_at,
        comments=review.comments,
        send_to=review.sent_to,
    )
    yield TaskEvent(review.decided_at, f"review_{review.state.value}", review.email, more)


def _of_audits(audits: Sequence[PastAudit], task: Task) -> Iterator[TaskEvent]:
    for number, audit in enumerate(audits, 1):
        fixed = True if number == len(audits) and task.review_status == ReviewStatus.FIXED else None
        more = said(accepted=audit.accepted, fixed=fixed, comments=audit.comments)
        yield TaskEvent(audit.created_at, "audited", audit.email, more)
