"""Reviews: what people decide about the result of a task before it is completed; and who reviews what."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from refonte_studio.kit.caller import Mode
from refonte_studio.projects.model import SendTo
from refonte_studio.tasks.model import Checked


class ReviewState(StrEnum):
    OPEN = "open"  # somebody who has lost it may still be noted
    HELD = "held"
    ACCEPTED = "accepted"
    FIXED = "fixed"
    REJECTED = "rejected"
    ENDED = "ended"


class ReviewMove(StrEnum):
    CLAIM = "claim"
    RELEASE = "release"  # or the reviewer may not review the project any more
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
    level: int  # from 1
    state: ReviewState
    reason: str  # level confidence
    proposed: str  # JSON: the response to decide about
    response: str | None  # JSON: the response as it was fixed
    reviewer_id: str | None  # of an open one: who had it last, and lost it
    comments: str | None
    sent_to: SendTo | None
    created_at: int
    started_at: int | None
    lease_expires_at: int | None
    decided_at: int | None

    def is_live(self, now: int) -> bool:
        """Whether it is held and its lease runs."""
        return self.state is ReviewState.HELD and self.lease_expires_at is not None and now < self.lease_expires_at

    @property
    def settled(self) -> str:
        """What a reviewer has left of the response: their own, or the proposed one."""
        return self.response if self.response is not None else self.proposed

    @property
    def took_ms(self) -> int | None:
        """How long the decision took, by the server's clock."""
        if self.decided_at is None or self.started_at is None or self.state not in DECIDED:
            return None
        return self.decided_at - self.started_at


@dataclass(frozen=True, slots=True)
class ReviewedAttempt:
    """An attempt as its reviewer sees it: not whose it is."""

    response: str  # JSON
    submitted_at: int
    imported: bool = False  # whether it was made elsewhere
    imported_by: str | None = None  # who imported it


@dataclass(frozen=True, slots=True)
class ReviewTask:
    """A review with all that its holder needs to decide."""

    review: Review
    type: str
    project: str
    batch: str
    params: str  # JSON object
    confidence: float | None
    attempts: Sequence[ReviewedAttempt]


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """What a reviewer says of a response."""

    state: ReviewState
    comments: str | None = None
    response: dict[str, Any] | Checked | None = None  # the right one, of a fix
    sent_to: SendTo | None = None  # of a rejection; None: as the project has it


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a task by a decision."""

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
class Happening:
    """Something that happened to a task."""

    at: int
    event: str
    who: str | None = None  # an e-mail address
    more: tuple[tuple[str, Any], ...] = ()  # what else there is to say, by name


@dataclass(frozen=True, slots=True)
class TaskHistory:
    """All that happened to a task, the oldest first."""

    task_id: str
    instructions_version: int
    happenings: Sequence[Happening]
    whole: bool  # False: there is more of it than is shown
