"""Claims: who holds which slot of which task, until when."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from refonte_studio.kit.caller import Caller


class ClaimState(StrEnum):
    HELD = "held"
    SUBMITTED = "submitted"
    SKIPPED = "skipped"
    RELEASED = "released"
    EXPIRED = "expired"
    ENDED = "ended"
    RETAKEN = "retaken"  # submitted, and the task is the same person's to do again


class ClaimMove(StrEnum):
    SUBMIT = "submit"
    SKIP = "skip"
    RELEASE = "release"
    EXPIRE = "expire"  # the lease ran out
    RETAKE = "retake"  # a training task was not passed, or a review sent the task back
    END = "end"  # the person left the project or the team, or the task was completed or canceled


MOVES: dict[tuple[ClaimState, ClaimMove], ClaimState] = {
    (ClaimState.HELD, ClaimMove.SUBMIT): ClaimState.SUBMITTED,
    (ClaimState.HELD, ClaimMove.SKIP): ClaimState.SKIPPED,
    (ClaimState.HELD, ClaimMove.RELEASE): ClaimState.RELEASED,
    (ClaimState.HELD, ClaimMove.EXPIRE): ClaimState.EXPIRED,
    (ClaimState.HELD, ClaimMove.END): ClaimState.ENDED,
    (ClaimState.SUBMITTED, ClaimMove.RETAKE): ClaimState.RETAKEN,
    (ClaimState.SKIPPED, ClaimMove.RETAKE): ClaimState.RELEASED,
}

# What has become an attempt.
DONE = (ClaimState.SUBMITTED, ClaimState.RETAKEN)

# A task that a person holds, has done or has declined is not theirs to claim (again).
TAKEN = (ClaimState.HELD, ClaimState.SUBMITTED, ClaimState.SKIPPED)


class Claim(msgspec.Struct, frozen=True):
    """One person's hold on one slot of a task. Times are in milliseconds."""

    id: str
    team_id: str
    task_id: str
    project_id: str
    batch_id: str | None
    teammate_id: str
    state: ClaimState
    claimed_at: int
    lease_expires_at: int
    is_rework: bool = False  # of a task sent back to the person: its slot is theirs, whether they hold it or not
    evaluates: bool = False  # whether its project has evaluation tasks, which its pace must not tell

    @property
    def paced_for(self) -> str | None:
        """The teammate whose responses are paced; None in a project without evaluation tasks."""
        return self.teammate_id if self.evaluates else None

    def is_live(self, now: int) -> bool:
        """Whether it is held and its lease runs."""
        return self.state is ClaimState.HELD and now < self.lease_expires_at


class HeldTask(msgspec.Struct, frozen=True):
    """A claim with its task as stored. `policy/labeler_view.py` turns it into what the holder is shown."""

    caller: Caller  # whose claim it is
    claim: Claim
    type: str
    project: str
    batch: str
    params: str  # JSON object


@dataclass(frozen=True, slots=True)
class ShownTask:
    """What a person is shown of the task that they hold."""

    task_id: str
    instruction: str
    params: bytes  # JSON object


@dataclass(frozen=True, slots=True)
class ReturnedTask:
    """A task that a person skipped or released, under the id by which they know it."""

    task_id: str
    paced_for: str | None  # whose responses are paced; None in a project without evaluation tasks


class Candidate(msgspec.Struct, frozen=True):
    """A task that a person may claim, and the batch in whose turn it comes. What it is, as far as it was read."""

    task_id: str
    project_id: str
    batch_id: str | None
    kind: str
    type: str = ""
    params: str = ""
    project: str = ""
    batch: str = ""
    has_cursor: bool = True  # whether a dispatch cursor says how far the person has come in the batch
    is_rework: bool = False  # whether it was sent back to the person
    mix: int = 0  # how many of 65,536 tasks for work an evaluation task of the project comes before
    evaluates: bool = False  # whether the project has evaluation tasks


class Submitted(msgspec.Struct, frozen=True):
    """What became of a task by a submission, as its maker is told."""

    task_id: str
    status: str
    attempts: int
    attempts_wanted: int
    paced_for: str | None = None  # whose responses are paced; None in a project without evaluation tasks


class NeedsCheckFirst(Exception):
    """The response must be checked before the transaction; see `tasks/service/response_checks.py`."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many tasks of a batch a person could claim."""

    project: str
    batch: str
    tasks: int


@dataclass(frozen=True, slots=True)
class QualityWaiting:
    """How many training and evaluation tasks of a project a person is due, and where they are to be counted."""

    project: str
    batch: str | None  # the one that they are of
    last_batch: str | None  # of this project, that the person worked
    tasks: int


@dataclass(frozen=True, slots=True)
class OwnAttempt:
    """One of a person's own attempts."""

    claim_id: str
    task_id: str
    project: str
    batch: str
    type: str
    submitted_at: int
    response: str  # JSON object


def default_batch_name(project: str) -> str:
    """What stands for a batch where a task has none, so that a quality task looks like any other."""
    return f"{project} (default)"
