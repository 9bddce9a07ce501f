"""Callbacks: what is told to a team's own programs when tasks and batches end, and to its managers."""

import re
import zlib
from dataclasses import dataclass
from enum import StrEnum

from refonte_studio.kit.caller import Mode


class CallbackState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"  # given up


class CallbackEvent(StrEnum):
    """What a callback tells of."""

    TASK_COMPLETED = "task.completed"
    TASK_CANCELED = "task.canceled"
    TASK_CHANGED = "task.changed"  # it is completed, and has another response than it had
    TASK_AUDITED = "task.audited"  # it is completed, and somebody has accepted, rejected or fixed it
    TASK_RESENT = "task.resent"  # it has ended, and somebody asked to be told again
    BATCH_COMPLETED = "batch.completed"
    LABELER_PAUSED = "labeler.paused"  # by the project's rules, not by a manager


# What may happen to a callback in a state, and the state that follows.
MOVES: dict[tuple[CallbackState, str], CallbackState] = {
    (CallbackState.WAITING, "deliver"): CallbackState.DELIVERED,
    (CallbackState.WAITING, "give up"): CallbackState.FAILED,
    (CallbackState.WAITING, "retry"): CallbackState.WAITING,
    (CallbackState.DELIVERED, "retry"): CallbackState.WAITING,
    (CallbackState.FAILED, "retry"): CallbackState.WAITING,
}


@dataclass(frozen=True, slots=True)
class Callback:
    """A row of the outbox."""

    id: str
    team_id: str
    mode: Mode
    url: str  # or an e-mail address
    event: CallbackEvent
    subject_id: str  # the task or the batch; of a pause the person and the project, with a point between
    state: CallbackState
    tries: int  # begun
    next_try_at: int
    last_error: str | None
    created_at: int
    delivered_at: int | None
    lane: str

    @property
    def by_mail(self) -> bool:
        """Whether it goes to an e-mail address."""
        return not self.url.lower().startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class CallbackSecrets:
    """How a receiver knows that a callback is from its team's server."""

    secret: str  # signs it
    auth: str | None  # is sent along as it is, for programs that compare it


@dataclass(frozen=True, slots=True)
class CallbackContent:
    """All that sending a callback needs."""

    body: bytes  # JSON
    subject: str  # what it tells, in words
    keys: CallbackSecrets


def subject_of_pause(teammate_id: str, project_id: str) -> str:
    """What stands for a person's pause in a project."""
    return f"{teammate_id}.{project_id}"


def pair_of_pause(subject_id: str) -> tuple[str, str]:
    """The person and the project of a pause."""
    teammate_id, _, project_id = subject_id.partition(".")
    return teammate_id, project_id


# ----------------------------------------------------------------------------------------------------------- lanes

RECEIVERS = 64  # groups of receivers in a team; with a group for each, one team could have any number of lanes
AGAIN = " again"
_RECEIVER = re.compile(r"[^:/]*://(?:[^/?#]*@)?([^/?#]*)")  # of any text: whoever records a callback must not fail


def lane(team_id: str, event: CallbackEvent, url: str, *, again: bool = False) -> str:
    """The lane of a callback: those in one lane wait for each other, those in different lanes take turns.

    A lane is a team's, for one event and one receiver, or a few; callbacks that failed have lanes of their own.
    """
    found = _RECEIVER.match(url)
    receiver = found[1].lower() if found else "mail"
    number = zlib.crc32(receiver.encode()) % RECEIVERS
    return f"{team_id} {event.value} {number:02x}{AGAIN if again else ''}"


def team_of(lane: str) -> str:
    """The team of a lane; empty where an older server recorded the callback."""
    return lane.partition(" ")[0]


def is_again(lane: str) -> bool:
    """Whether a lane is one of callbacks that failed."""
    return lane.endswith(AGAIN)
