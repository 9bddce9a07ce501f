"""Use-cases of reviews: claim, decide, extend, release; and the events that open and end reviews."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from refonte_studio import task_types
from refonte_studio.db import Tx
from refonte_studio.dispatch import service as work
from refonte_studio.files import service as files
from refonte_studio.files.model import File
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput, Conflict, NotFound, shown
from refonte_studio.kit.ids import new_id
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import Project, SendTo
from refonte_studio.reviews.model import DECIDED, Review, ReviewDecision, ReviewOutcome, ReviewState, ReviewTask
from refonte_studio.reviews.store import reviewers as reviewer_store
from refonte_studio.reviews.store import reviews as review_store
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import (
    CheckContext,
    CheckedResponse,
    ResultsDue,
    ReviewDue,
    ReviewReason,
    Task,
    TasksEnded,
    TaskStatus,
)
from refonte_studio.teams.model import TeammatesDisabled

COMMENTS_LENGTH = 10_000
EXPIRE_LIMIT = 500  # leases ended in one transaction
CLAIM_TRIES = 3  # upper bound on the reviews tried by one claim, if others take each of them first


async def claim_next(
    tx: Tx, caller: Caller, project: str | None, batch: str | None, lease_ms: int, now: int
) -> ReviewTask | None:
    """Returns the review that the person holds, or else claims the oldest that they may do; None if there is none.

    Raises NotFound for a project or batch that does not exist, or a batch of another project.
    """
    project_id, batch_id = await work.ids_filtered_by(tx, caller, project, batch, _reviews)
    await tx.lock(f"reviewer:{caller.teammate_id}:{caller.mode}")  # concurrent claims of one person get one review
    held = await review_store.held(tx, caller)
    if held is not None and not held.is_live(now):  # the bounded expiry below might not reach it
        await review_store.expire_own(tx, held, now)
        held = await review_store.held(tx, caller)  # it may have been extended concurrently
    if held is not None:
        return await _assignment(tx, held)
    await review_store.expire_of_team(tx, caller.team_id, now, EXPIRE_LIMIT)
    for attempt in range(CLAIM_TRIES):
        look = review_store.oldest_unlocked if attempt == 0 else review_store.oldest
        found = await look(tx, caller, project_id, batch_id)
        if found is not None and await review_store.hold(tx, caller, found, now, now + lease_ms):
            return await _assignment(tx, await review_of(tx, caller, found))
    return None


async def _reviews(tx: Tx, caller: Caller, project_id: str) -> bool:
    return await reviewer_store.is_reviewer(tx, caller.team_id, project_id, caller.teammate_id)


async def check_filters(tx: Tx, caller: Caller, named: Mapping[str, str]) -> None:
    """Raises NotFound if `project` or `batch` does not exist for this reviewer."""
    await work.ids_filtered_by(tx, caller, named.get("project"), named.get("batch"), _reviews)


async def _assignment(tx: Tx, review: Review) -> ReviewTask:
    task = await review_store.task_of(tx, review)
    return ReviewTask(
        review,
        type=task.type,
        project=task.project,
        batch=task.batch,
        params=task.params,
        confidence=task.confidence,
        attempts=await review_store.answers(tx, review),
    )


async def review_of(tx: Tx, caller: Caller, review_id: str) -> Review:
    """Returns a review that this person holds, held last, or has decided. Raises NotFound for any other."""
    review = await review_store.of_reviewer(tx, caller, review_id)
    if review is None:
        raise NotFound(f"there is no review {shown(review_id)}")
    return review


async def attachment_of(tx: Tx, caller: Caller, review_id: str, file_id: str, now: int) -> File:
    """Returns a file of the task under review. Raises NotFound for any other, Conflict if the review is lost."""
    review = await review_of(tx, caller, review_id)
    if not review.is_live(now):
        raise _lost(review, now)
    file = await files.find(tx, caller.team_id, caller.mode, file_id)
    if file.attachment_url not in (await review_store.task_of(tx, review)).params:
        raise NotFound(f"the task has no file {shown(file_id)}")
    return file


async def decide(tx: Tx, caller: Caller, review_id: str, decision: ReviewDecision, now: int) -> ReviewOutcome:
    """Accepts, fixes or rejects the proposed response. Repeating the same decision returns the same outcome.

    An accepted or fixed response goes to the next level or completes the task; a rejected task must be done again.
    Raises NotFound for a review of another person, Conflict for one that is lost or was decided differently, BadInput
    for a response that does not fit the task or a rejection without comments.
    """
    review = await review_of(tx, caller, review_id)
    if len(decision.comments or "") > COMMENTS_LENGTH:
        raise BadInput(
            f"comments has {len(decision.comments or ''):,} characters; at most {COMMENTS_LENGTH:,} are taken"
        )
    if decision.state is ReviewState.REJECTED and not (decision.comments or "").strip():
        raise BadInput("comments are required: what is to be done better?")
    if review.state not in DECIDED and not review.is_live(now):
        raise _lost(review, now)
    task = await tasks.find(tx, caller.team_id, caller.mode, review.task_id)
    project = await projects.by_id(tx, caller.team_id, review.project_id)
    decided = replace(
        review,
        state=decision.state,
        comments=decision.comments or None,
        response=_fixed(task, decision),
        sent_to=_sent_to(project, decision),
        decided_at=now,
    )
    if review.state in DECIDED:
        return await _decided_before(tx, review, decided, decision)
    if await tasks.lock_pending(tx, caller.team_id, caller.mode, task.id) is None or not await review_store.decide(
        tx, decided, now
    ):
        # The task has ended, or the review was lost, or decided by the same person's other request.
        return await _too_late(tx, caller, decided, decision, now)
    return await _carry_out(tx, project, task, decided, now)


async def to_check(tx: Tx, caller: Caller, review_id: str, now: int) -> CheckContext:
    """Returns what a large response of a fix is checked against. Changes nothing.

    Raises NotFound for a review of another person, Conflict for one that is lost.
    """
    review = await review_of(tx, caller, review_id)
    if review.state not in DECIDED and not review.is_live(now):
        raise _lost(review, now)
    return await tasks.to_check(tx, caller, review.task_id)


def _fixed(task: Task, decision: ReviewDecision) -> str | None:
    if decision.response is None:
        return None
    if isinstance(decision.response, CheckedResponse):
        assert decision.response.task_id == task.id, "a review is of one task for good"
        return decision.response.response
    checked = task_types.TYPES[task.type].check_response(msgspec.json.decode(task.params), decision.response)
    return msgspec.json.encode(checked).decode()


def _sent_to(project: Project, decision: ReviewDecision) -> SendTo | None:
    if decision.state is not ReviewState.REJECTED:
        return None
    return decision.sent_to or project.quality.rejects_to


async def _too_late(tx: Tx, caller: Caller, decided: Review, decision: ReviewDecision, now: int) -> ReviewOutcome:
    review = await review_of(tx, caller, decided.id)
    if review.state not in DECIDED:
        raise _lost(review, now)
    return await _decided_before(tx, review, decided, decision)


async def _decided_before(tx: Tx, review: Review, again: Review, decision: ReviewDecision) -> ReviewOutcome:
    same = (review.state, review.comments, review.response) == (again.state, again.comments, again.response)
    if not same or (decision.sent_to is not None and decision.sent_to != review.sent_to):
        raise Conflict(f"the review {review.id} was decided before, otherwise: it is {review.state}")
    goes_on = review.state is ReviewState.REJECTED or await review_store.goes_on(tx, review)
    return _decided(review, TaskStatus.PENDING if goes_on else TaskStatus.COMPLETED)


def _decided(review: Review, status: TaskStatus) -> ReviewOutcome:
    return ReviewOutcome(review.task_id, status.value, review.level, review.state)


async def _carry_out(tx: Tx, project: Project, task: Task, review: Review, now: int) -> ReviewOutcome:
    """Applies a decision to a task whose slots are locked."""
    if review.state is ReviewState.REJECTED:
        sent_to = review.sent_to or project.quality.rejects_to
        people = await tasks.send_back(tx, project, task, sent_to != "same", now)
        await work.send_back(tx, task, people, sent_to, now)
        return _decided(review, TaskStatus.PENDING)
    levels = project.quality.review_levels if review.reason == ReviewReason.LEVEL else 1
    if review.level < levels:
        await review_store.insert(tx, _opened(review, now))
        return _decided(review, TaskStatus.PENDING)
    await tasks.complete_reviewed(tx, task, review.settled, now)
    return _decided(review, TaskStatus.COMPLETED)


def _opened(before: Review, now: int) -> Review:
    """Returns the open review of the next level."""
    return replace(
        before,
        id=new_id(now),
        level=before.level + 1,
        state=ReviewState.OPEN,
        proposed=before.settled,
        response=None,
        reviewer_id=None,
        comments=None,
        sent_to=None,
        created_at=now,
        started_at=None,
        lease_expires_at=None,
        decided_at=None,
    )


def _lost(review: Review, now: int) -> Conflict:
    state = review.state.value
    if review.state is ReviewState.OPEN or (review.state is ReviewState.HELD and not review.is_live(now)):
        state = "not held by you any more"
    return Conflict(f"the review {review.id} is {state}; claim the next one")


async def extend(tx: Tx, caller: Caller, review_id: str, lease_ms: int, now: int) -> Review:
    """Renews the lease for its full length from now. Raises NotFound, or Conflict for a lost review."""
    review = await review_of(tx, caller, review_id)
    expires = now + lease_ms
    if not review.is_live(now) or not await review_store.extend(tx, review, expires):
        raise _lost(await review_of(tx, caller, review_id), now)
    return replace(review, lease_expires_at=expires)


async def release(tx: Tx, caller: Caller, review_id: str, now: int) -> Review:
    """Releases the review, so that anybody who may do it can claim it. Raises NotFound, or Conflict if it is lost."""
    review = await review_of(tx, caller, review_id)
    if review.state is ReviewState.OPEN and review.lease_expires_at is None:  # the request was sent again
        return review
    if not review.is_live(now) or not await review_store.release(tx, review):
        raise _lost(await review_of(tx, caller, review_id), now)
    return review


async def comments_on(tx: Tx, caller: Caller, claim_id: str) -> list[str]:
    """Returns the reviewers' comments on the person's attempts, if the claim is on a task sent back to them.

    Raises NotFound for a claim of another person.
    """
    claim = await work.claim_of(tx, caller, claim_id)
    return await review_store.comments_on(tx, caller, claim.task_id, claim.claimed_at)


async def expire_leases(tx: Tx, now: int) -> int:
    """Reopens up to 500 reviews whose lease has expired; returns their number."""
    return await review_store.expire(tx, now, EXPIRE_LIMIT)


async def on_review_due(tx: Tx, event: ReviewDue) -> None:
    """Opens the first level of a round of review."""
    await review_store.insert(
        tx,
        Review(
            id=new_id(event.now),
            team_id=event.team_id,
            mode=event.mode,
            project_id=event.project_id,
            batch_id=event.batch_id,
            task_id=event.task_id,
            level=1,
            state=ReviewState.OPEN,
            reason=event.reason.value,
            proposed=event.proposed,
            response=None,
            reviewer_id=None,
            comments=None,
            sent_to=None,
            created_at=event.now,
            started_at=None,
            lease_expires_at=None,
            decided_at=None,
        ),
    )


async def on_tasks_ended(tx: Tx, event: TasksEnded) -> None:
    """Ends the reviews of tasks that were completed without them, or canceled."""
    if event.held:
        await review_store.end(tx, event.team_id, event.task_ids, event.now)


async def on_results_due(tx: Tx, event: ResultsDue) -> None:
    """Ends the reviews of tasks that a manager sent to completion."""
    if event.forced:
        await review_store.end(tx, event.team_id, event.task_ids, event.now)


async def on_disabled(tx: Tx, event: TeammatesDisabled) -> None:
    """Reopens the reviews that disabled people held."""
    await review_store.open_held_by(tx, event.team_id, event.teammate_ids, None)
