"""Callbacks: notifications to a team's own programs when tasks and batches end, and to its managers."""

import re
import zlib
from dataclasses import dataclass
from enum import StrEnum

from refonte_studio.kit.caller import Mode


class CallbackState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"  # after the last try


class CallbackEvent(StrEnum):
    """What a callback reports."""

    TASK_COMPLETED = "task.completed"
    TASK_CANCELED = "task.canceled"
    TASK_CHANGED = "task.changed"  # a completed task has a different response
    TASK_AUDITED = "task.audited"  # somebody accepted, rejected or fixed a completed task
    TASK_RESENT = "task.resent"  # somebody asked for another notification about an ended task
    BATCH_COMPLETED = "batch.completed"
    LABELER_PAUSED = "labeler.paused"  # by the project's rules, not by a manager


# The state that follows each move.
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
    subject_id: str  # id of the task or batch; for a pause, the ids of the person and the project, joined by a dot
    state: CallbackState
    tries: int  # number of tries started
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
    """How a receiver recognizes a callback of its team's server."""

    secret: str  # signs the callback
    auth: str | None  # sent unchanged, for programs that compare it


@dataclass(frozen=True, slots=True)
class CallbackContent:
    """Everything needed to send a callback."""

    body: bytes  # JSON
    subject: str  # what it reports, in words
    keys: CallbackSecrets


def subject_of_pause(teammate_id: str, project_id: str) -> str:
    """Returns the subject id of a person's pause in a project."""
    return f"{teammate_id}.{project_id}"


def pair_of_pause(subject_id: str) -> tuple[str, str]:
    """Returns the person and the project of a pause's subject id."""
    teammate_id, _, project_id = subject_id.partition(".")
    return teammate_id, project_id


# ----------------------------------------------------------------------------------------------------------- lanes

RECEIVERS = 64  # groups of receivers per team; a bound on the lanes of one team
AGAIN = " again"
# accepts any text, because recording a callback must not fail
_RECEIVER = re.compile(r"[^:/]*://(?:[^/?#]*@)?([^/?#]*)")


def lane(team_id: str, event: CallbackEvent, url: str, *, again: bool = False) -> str:
    """Returns the lane of a callback. Callbacks in one lane wait for each other; lanes take turns.

    A lane belongs to one team, one event and one group of receivers. Callbacks that failed have separate lanes.
    """
    found = _RECEIVER.match(url)
    receiver = found[1].lower() if found else "mail"
    number = zlib.crc32(receiver.encode()) % RECEIVERS
    return f"{team_id} {event.value} {number:02x}{AGAIN if again else ''}"


def team_of(lane: str) -> str:
    """Returns the team of a lane; empty if an older server recorded the callback."""
    return lane.partition(" ")[0]


def is_again(lane: str) -> bool:
    """Whether a lane is for callbacks that failed."""
    return lane.endswith(AGAIN)
