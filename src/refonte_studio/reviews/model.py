"""Reviews: people's decisions about the result of a task before it is completed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from refonte_studio.kit.caller import Mode
from refonte_studio.projects.model import SendTo
from refonte_studio.tasks.model import CheckedResponse


class ReviewState(StrEnum):
    OPEN = "open"  # may still name the last holder, who lost it
    HELD = "held"
    ACCEPTED = "accepted"
    FIXED = "fixed"
    REJECTED = "rejected"
    ENDED = "ended"


class ReviewMove(StrEnum):
    CLAIM = "claim"
    RELEASE = "release"  # or the reviewer may no longer review the project
    EXPIRE = "expire"  # the lease ran out
    ACCEPT = "accept"
    FIX = "fix"
    REJECT = "reject"
    END = "end"  # the task was canceled, or a manager sent it to completion


MOVES: dict[tuple[ReviewState, ReviewMove], ReviewState] = {
    (ReviewState.OPEN, ReviewMove.CLAIM): ReviewState.HELD,
    (ReviewState.HELD, ReviewMove.RELEASE): ReviewState.OPEN,
    (ReviewState.HELD, ReviewMove.EXPIRE): ReviewState.OPEN,
    (ReviewState.HELD, ReviewMove.ACCEPT): ReviewState.ACCEPTED,
    (ReviewState.HELD, ReviewMove.FIX): ReviewState.FIXED,
    (ReviewState.HELD, ReviewMove.REJECT): ReviewState.REJECTED,
    (ReviewState.OPEN, ReviewMove.END): ReviewState.ENDED,
    (ReviewState.HELD, ReviewMove.END): ReviewState.ENDED,
}
DECIDED = (ReviewState.ACCEPTED, ReviewState.FIXED, ReviewState.REJECTED)


@dataclass(frozen=True, slots=True)
class Review:
    """One level of a round of review. Times are in milliseconds; JSON is text."""

    id: str
    team_id: str
    mode: Mode
    project_id: str
    batch_id: str | None
    task_id: str
    level: int  # level of the review, starting at 1
    state: ReviewState
    reason: str  # `level` or `confidence`
    proposed: str  # JSON: the response to decide about
    response: str | None  # JSON: the response as it was fixed
    reviewer_id: str | None  # the holder; of an open review, the last holder who lost it
    comments: str | None
    sent_to: SendTo | None
    created_at: int
    started_at: int | None
    lease_expires_at: int | None
    decided_at: int | None

    def is_live(self, now: int) -> bool:
        """Returns whether it is held and its lease has not expired."""
        return self.state is ReviewState.HELD and self.lease_expires_at is not None and now < self.lease_expires_at

    @property
    def settled(self) -> str:
        """The response after the decision: the fixed one, or else the proposed one."""
        return self.response if self.response is not None else self.proposed

    @property
    def took_ms(self) -> int | None:
        """The duration of the review in milliseconds, by the server's clock; None unless it is decided."""
        if self.decided_at is None or self.started_at is None or self.state not in DECIDED:
            return None
        return self.decided_at - self.started_at


@dataclass(frozen=True, slots=True)
class AttemptUnderReview:
    """An attempt as its reviewer sees it, without its labeler."""

    response: str  # JSON
    submitted_at: int
    imported: bool = False  # whether it is an external attempt
    imported_by: str | None = None  # who imported it


@dataclass(frozen=True, slots=True)
class TaskUnderReview:
    """What a review shows of its task."""

    type: str
    project: str
    batch: str
    params: str  # JSON object
    confidence: float | None


@dataclass(frozen=True, slots=True)
class ReviewTask:
    """A held review with everything that its holder needs to decide."""

    review: Review
    type: str
    project: str
    batch: str
    params: str  # JSON object
    confidence: float | None
    attempts: Sequence[AttemptUnderReview]


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """A reviewer's decision about a response."""

    state: ReviewState
    comments: str | None = None
    response: dict[str, Any] | CheckedResponse | None = None  # the correct response, only with a fix
    sent_to: SendTo | None = None  # only with a rejection; None: the project's setting


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """The outcome of a decision for the task and its review."""

    task_id: str
    status: str
    level: int
    state: ReviewState


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """A review as managers see it."""

    review: Review
    project: str
    batch: str | None
    reviewer: str | None  # an e-mail address


@dataclass(frozen=True, slots=True)
class AuditDue:
    """A completed task that is to be audited."""

    task_id: str
    project: str
    batch: str | None
    type: str
    params: str  # JSON object
    response: str  # JSON object
    confidence: float | None
    agreement: float | None
    completed_at: int


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """An event in the history of a task."""

    at: int
    event: str
    who: str | None = None  # an e-mail address
    more: tuple[tuple[str, Any], ...] = ()  # further fields, by name


@dataclass(frozen=True, slots=True)
class TaskHistory:
    """Everything that happened to a task, oldest first."""

    task_id: str
    instructions_version: int
    happenings: Sequence[TaskEvent]
    whole: bool  # False: some events are left out


@dataclass(frozen=True, slots=True)
class PastClaim:
    """A claim as a task's history tells it, with the attempt that it became. Times are in milliseconds."""

    id: str
    state: str
    claimed_at: int
    ended_at: int | None
    reason: str | None  # of a skip
    email: str  # whose claim it was
    round: int | None  # from here on None without an attempt
    started_at: int | None
    submitted_at: int | None
    rejected_at: int | None
    imported: bool
    imported_by: str | None


@dataclass(frozen=True, slots=True)
class PastReview:
    """A review as a task's history tells it. Times are in milliseconds."""

    level: int
    state: ReviewState
    reason: str
    comments: str | None
    sent_to: SendTo | None
    created_at: int
    started_at: int | None
    decided_at: int | None
    email: str | None  # of the reviewer


@dataclass(frozen=True, slots=True)
class PastAudit:
    """An audit as a task's history tells it."""

    accepted: bool
    comments: str | None
    created_at: int
    email: str  # of the auditor
