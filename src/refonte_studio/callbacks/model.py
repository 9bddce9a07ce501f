"""Callbacks: what is told to a team's own programs when tasks and batches end, and to its managers."""

from dataclasses import dataclass
from enum import StrEnum

from refonte_studio.kit.caller import Mode


class State(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"  # given up


class About(StrEnum):
    """What a callback tells of."""

    TASK_COMPLETED = "task.completed"
    TASK_CANCELED = "task.canceled"
    TASK_CHANGED = "task.changed"  # it is completed, and has another response than it had
    BATCH_COMPLETED = "batch.completed"
    LABELER_PAUSED = "labeler.paused"  # by themselves, by the project's rules


# What may happen to a callback in a state, and the state that follows.
MOVES: dict[tuple[State, str], State] = {
    (State.WAITING, "deliver"): State.DELIVERED,
    (State.WAITING, "give up"): State.FAILED,
    (State.WAITING, "retry"): State.WAITING,
    (State.DELIVERED, "retry"): State.WAITING,
    (State.FAILED, "retry"): State.WAITING,
}


@dataclass(frozen=True, slots=True)
class Callback:
    """A row of the outbox."""

    id: str
    team_id: str
    mode: Mode
    url: str  # or an e-mail address
    event: About
    subject_id: str  # the task or the batch; of a pause the person and the project, with a point between
    state: State
    tries: int  # begun
    next_try_at: int
    last_error: str | None
    created_at: int
    delivered_at: int | None

    @property
    def by_mail(self) -> bool:
        """Whether it goes to an e-mail address."""
        return not self.url.lower().startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class Parcel:
    """A callback whose try has begun, with all that sending it needs."""

    callback: Callback
    body: bytes  # JSON
    secret: str  # of the team
    subject: str  # what it tells, in words


def subject_of_pause(teammate_id: str, project_id: str) -> str:
    """What stands for a person's pause in a project."""
    return f"{teammate_id}.{project_id}"


def pair_of_pause(subject_id: str) -> tuple[str, str]:
    """The person and the project of a pause."""
    teammate_id, _, project_id = subject_id.partition(".")
    return teammate_id, project_id
