"""Tasks: what is to be labeled, and the attempts and audits made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import msgspec

from refonte_studio.aggregation.model import Result, StoredModels
from refonte_studio.db import Event
from refonte_studio.kit.caller import Mode
from refonte_studio.projects.model import DEFAULTS, Project, QualitySettings

Kind = Literal["work", "training", "evaluation"]
LARGE_PARAMS = 131_072  # characters of a task's parameters
# Top-level fields of a task beside its parameters. No parameter may have such a name.
RESERVED = frozenset(
    {
        *("task_id", "type", "status", "created_at", "updated_at", "completed_at", "params", "response"),
        *("is_test", "customer_review_status", "audits", "attempts", "attachmentS3Downloads", "callback_succeeded"),
        *("confidence", "agreement"),
    }
)
UNIQUE_ID_LENGTH = 500
TAG_LIMIT = 100
TAG_LENGTH = 200


class TaskStatus(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    CANCELED = "canceled"


class ReviewStatus(StrEnum):
    """What a completed task's last audit said of it; `pending` until there is one."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FIXED = "fixed"
    COMMENTED = "commented"


# From which state a task may be brought to which; every state but the first is an end.
MOVES: dict[tuple[TaskStatus, str], TaskStatus] = {
    (TaskStatus.PENDING, "complete"): TaskStatus.COMPLETED,
    (TaskStatus.PENDING, "cancel"): TaskStatus.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Task:
    """A task. JSON is kept as text, as it is stored, so that lists and exports need not decode it."""

    id: str
    team_id: str
    mode: Mode
    project_id: str
    batch_id: str | None  # None only for a training task
    kind: Kind
    type: str
    status: TaskStatus
    params: str  # JSON object: its effective parameters, except those that have a column of their own
    metadata: str  # JSON object
    tags: str | None  # JSON array
    unique_id: str | None
    callback_url: str | None
    response: str | None  # JSON object, once completed
    review_status: str | None  # by the last audit
    project_version: int  # of the project's parameters that it inherited
    created_at: int
    updated_at: int
    completed_at: int | None
    confidence: float | None = None  # that the response, where attempts gave it, is right: 0 to 1
    agreement: float | None = None  # of those attempts with each other: 0 to 1
    reviewed: bool = False  # whether a person has decided about the response
    callback_succeeded: bool | None = None  # whether its last callback was delivered, or given up; None before that

    @property
    def slots_in(self) -> str:
        """Where its slots are counted while it is pending: in its batch, or nowhere for a quality task."""
        return self.batch_id if self.kind == "work" and self.batch_id is not None else ""


class Draft(msgspec.Struct, frozen=True, array_like=True):
    """A creation that passed every check which needs no database. JSON is text, as it will be stored."""

    type: str
    params: str  # effective: the project's, overridden by the task's own; without those that have a column
    metadata: str
    tags: tuple[str, ...]
    unique_id: str | None
    callback_url: str | None
    response: str | None  # the sample that completes a task in test mode


@dataclass(frozen=True, slots=True)
class CompletionRules:
    """What a project makes of the attempts at its tasks."""

    most: int = 1  # attempts that a task is asked for
    least: int = 1  # the same, before it is looked at whether that is enough
    adaptive: bool = False
    quality: QualitySettings = DEFAULTS

    @classmethod
    def of(cls, project: Project) -> "CompletionRules":
        """Those of a project."""
        return cls(project.attempts_most, project.attempts_wanted, project.adaptive, project.quality)

    @property
    def plain(self) -> bool:
        """Whether nothing but the number of attempts decides when a task is completed."""
        return not (self.adaptive or self.quality.review_levels or self.quality.review_below is not None)


@dataclass(frozen=True, slots=True)
class Checked:
    """A response that was checked before the transaction that records it.

    It fits the type and the parameters of its task, which never change, so that it still fits when it is recorded.
    """

    task_id: str
    response: str  # JSON, in canonical form
    score: float | None = None  # of a quality task
    result: Result | None = None  # what it gives, if it alone completes its task


class ToCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a response is checked against: its task, whose type and parameters never change."""

    task_id: str
    type: str
    params: str  # JSON
    person: str  # who gives the response
    expected: str | None = None  # JSON: the known answer of a quality task, by which the response is scored
    is_decoy: bool = False  # whether it is another task's: the score only takes its time, and is not kept
    alone: StoredModels | None = None  # what is known of the person, if this response alone completes the task


def has_large(params: str) -> bool:
    """Whether responses to these parameters (JSON) are checked beforehand, however small they are."""
    return len(params) > LARGE_PARAMS


class Step(StrEnum):
    """What comes of a task that has the attempts it asked for."""

    ASK = "ask"  # one more person
    REVIEW = "review"
    COMPLETE = "complete"


class ReviewReason(StrEnum):
    LEVEL = "level"  # every task of the project is reviewed
    CONFIDENCE = "confidence"  # the attempts left it unsure


@dataclass(frozen=True, slots=True)
class TaskSlots:
    """What a pending task still wants."""

    batch_id: str  # empty for a training or evaluation task
    task_id: str
    wanted: int  # attempts that complete it
    attempts: int  # submitted so far
    open: int  # wanted - attempts - held claims; 0 for a quality task, and while a review or a result is due
    reviewing: bool = False  # whether it has the attempts it wanted, and a review is to decide
    judging: bool = False  # whether it has the attempts it wanted, and their result is made in the background
    rules: CompletionRules = CompletionRules()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One person's response to a task."""

    id: str  # of the claim that it came from
    task_id: str
    teammate_id: str
    number: int  # the how-manieth attempt of its task, from 1
    response: str  # JSON object
    started_at: int
    submitted_at: int
    imported: bool = False  # whether it was made elsewhere
    imported_by: str | None = None  # the teammate who imported it, if that is known


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """A checked response that has just come in."""

    id: str  # of the claim that it comes from
    teammate_id: str
    response: str  # JSON object
    started_at: int
    result: Result | None = None  # what it gives alone, if that is known


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an attempt's maker is told of its task: its number, of how many that are wanted, and whether that is all.

    It says nothing of what others answered: of a task that is asked on until it is clear, it is told as if it were
    always asked of the most people.
    """

    number: int
    wanted: int
    told: int  # as its number
    done: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """A review of a completed task."""

    id: str
    task_id: str
    teammate_id: str
    accepted: bool
    comments: str | None
    created_at: int


@dataclass(frozen=True, slots=True)
class ReviewDue(Event):
    """A pending task has the attempts it asked for, and a review is to decide what becomes of it."""

    team_id: str
    mode: Mode
    project_id: str
    batch_id: str | None
    task_id: str
    proposed: str  # JSON: what its attempts give
    confidence: float
    reason: ReviewReason
    now: int


@dataclass(frozen=True, slots=True)
class ResultsDue(Event):
    """Nobody works these pending tasks any more: their result is made in the background."""

    team_id: str
    task_ids: tuple[str, ...]
    forced: bool  # whether it completes them whatever it is, so that no review decides
    now: int


@dataclass(frozen=True, slots=True)
class TasksEnded(Event):
    """These tasks were pending and are not any more; `status` is what they became."""

    team_id: str
    mode: Mode
    task_ids: tuple[str, ...]
    callback_urls: Mapping[str, str]  # of those tasks that have one, by id
    status: TaskStatus  # completed or canceled
    now: int
    held: bool  # whether anybody may still hold one of them

    @classmethod
    def of(cls, tasks: Sequence[Task], status: TaskStatus, now: int, *, held: bool = True) -> "TasksEnded":
        """Of some tasks of one team and mode."""
        urls = {task.id: task.callback_url for task in tasks if task.callback_url is not None}
        return cls(tasks[0].team_id, tasks[0].mode, tuple(task.id for task in tasks), urls, status, now, held)


@dataclass(frozen=True, slots=True)
class AttemptsImported(Event):
    """New tasks have come with attempts that were made elsewhere."""

    tasks: Mapping[str, Task]  # by id
    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class TasksChanged(Event):
    """These completed tasks have another response than they had."""

    team_id: str
    mode: Mode
    task_ids: tuple[str, ...]
    callback_urls: Mapping[str, str]  # of those tasks that have one, by id
    now: int


@dataclass(frozen=True, slots=True)
class TaskAudited(Event):
    """Somebody has accepted, rejected or fixed this completed task."""

    task: Task
    now: int


@dataclass(frozen=True, slots=True)
class CallbackAsked(Event):
    """Somebody wants the callback of this task, which has ended, to be sent once more."""

    task: Task
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks a list or an export is about; None leaves a question open."""

    project_id: str | None = None
    batch_id: str | None = None
    status: TaskStatus | None = None
    type: str | None = None
    reviews: tuple[ReviewStatus, ...] | None = None
    claim_id: str | None = None
    unique_ids: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None  # at least one of them
    created_from: int | None = None  # both ends count
    created_to: int | None = None
    updated_from: int | None = None
    updated_to: int | None = None
    completed_from: int | None = None
    completed_to: int | None = None
