"""Tasks: what to label, with the attempts and audits of each task."""

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
LARGE_PARAMS = 131_072  # characters of a task's parameters from which responses are checked in a separate process
# Top-level fields of a task next to its parameters. No parameter may have one of these names.
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
    """The outcome of a completed task's last audit; `pending` until there is one."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FIXED = "fixed"
    COMMENTED = "commented"


# The allowed moves between states; completed and canceled are final.
MOVES: dict[tuple[TaskStatus, str], TaskStatus] = {
    (TaskStatus.PENDING, "complete"): TaskStatus.COMPLETED,
    (TaskStatus.PENDING, "cancel"): TaskStatus.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Task:
    """A task. JSON is kept as the stored text, so that lists and exports need not decode it."""

    id: str
    team_id: str
    mode: Mode
    project_id: str
    batch_id: str | None  # None only for a training task
    kind: Kind
    type: str
    status: TaskStatus
    params: str  # JSON object: its effective parameters, except those that have their own column
    metadata: str  # JSON object
    tags: str | None  # JSON array
    unique_id: str | None
    callback_url: str | None
    response: str | None  # JSON object, once completed
    review_status: str | None  # the outcome of the last audit
    project_version: int  # the version of the project's parameters that it inherited
    created_at: int
    updated_at: int
    completed_at: int | None
    confidence: float | None = None  # the probability (0 to 1) that the response is right; None if not from attempts
    agreement: float | None = None  # the agreement (0 to 1) of the attempts
    reviewed: bool = False  # whether a person has decided about the response
    callback_succeeded: bool | None = None  # True if the last callback was delivered, False if given up

    @property
    def slots_in(self) -> str:
        """The batch whose task slots hold the slots of this task; empty for a quality task."""
        return self.batch_id if self.kind == "work" and self.batch_id is not None else ""


class Draft(msgspec.Struct, frozen=True, array_like=True):
    """A creation that passed all checks that need no database. JSON is text, as it will be stored."""

    type: str
    params: str  # the project's, overridden by the task's own; without those that have their own column
    metadata: str
    tags: tuple[str, ...]
    unique_id: str | None
    callback_url: str | None
    response: str | None  # the sample that completes a task in test mode


@dataclass(frozen=True, slots=True)
class CompletionRules:
    """A project's rules for completing a task from its attempts."""

    most: int = 1  # the maximum number of attempts of a task
    least: int = 1  # the number of attempts before the confidence is checked
    adaptive: bool = False
    quality: QualitySettings = DEFAULTS

    @classmethod
    def of(cls, project: Project) -> "CompletionRules":
        """Returns the rules of a project."""
        return cls(project.attempts_most, project.attempts_wanted, project.adaptive, project.quality)

    @property
    def plain(self) -> bool:
        """Whether the number of attempts alone decides when a task is completed."""
        return not (self.adaptive or self.quality.review_levels or self.quality.review_below is not None)


@dataclass(frozen=True, slots=True)
class CheckedResponse:
    """A response that was checked before the transaction that records it.

    The type and the parameters of a task never change, so the response is still valid when it is recorded.
    """

    task_id: str
    response: str  # JSON, in canonical form
    score: float | None = None  # only for a quality task
    result: Result | None = None  # the task's result, if this response alone completes it


class CheckContext(msgspec.Struct, frozen=True, kw_only=True):
    """The task that a response is checked against; its type and parameters never change."""

    task_id: str
    type: str
    params: str  # JSON
    person: str  # id of the teammate who submits the response
    expected: str | None = None  # JSON: the expected response of a quality task, for the score
    is_decoy: bool = False  # whether `expected` is of another task: the score only takes time and is discarded
    alone: StoredModels | None = None  # the person's models, if this response alone completes the task


def has_large(params: str) -> bool:
    """Returns whether responses to these parameters (JSON) are checked beforehand, however small they are."""
    return len(params) > LARGE_PARAMS


class Step(StrEnum):
    """The next step of a task that has all requested attempts."""

    ASK = "ask"  # request one more attempt
    REVIEW = "review"
    COMPLETE = "complete"


class ReviewReason(StrEnum):
    LEVEL = "level"  # every task of the project is reviewed
    CONFIDENCE = "confidence"  # the confidence of the result is too low


@dataclass(frozen=True, slots=True)
class TaskSlots:
    """The attempts that a pending task wants, has, and can still hand out."""

    batch_id: str  # empty for a training or evaluation task
    task_id: str
    wanted: int  # attempts that complete it
    attempts: int  # submitted so far
    open: int  # wanted - attempts - held claims; 0 for a quality task and while a review or a result is due
    reviewing: bool = False  # whether it has all wanted attempts and waits for a review
    judging: bool = False  # whether it has all wanted attempts and its result is computed in the background
    rules: CompletionRules = CompletionRules()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One person's response to a task."""

    id: str  # the id of its claim
    task_id: str
    teammate_id: str
    number: int  # attempt number within its task, starting at 1
    response: str  # JSON object
    started_at: int
    submitted_at: int
    imported: bool = False  # whether it is an external attempt
    imported_by: str | None = None  # the teammate who imported it, if known


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """A checked response that has just been submitted."""

    id: str  # the id of its claim
    teammate_id: str
    response: str  # JSON object
    started_at: int
    result: Result | None = None  # the task's result from this attempt alone, if it is computed already


@dataclass(frozen=True, slots=True)
class RecordedAttempt:
    """What the submitter of an attempt learns about its task.

    It reveals nothing about other people's answers: a task of an adaptive project looks as if it always wanted the
    maximum number of attempts.
    """

    number: int  # attempt number, starting at 1
    wanted: int  # the number of attempts that the task wants
    shown_number: int  # the attempt number that the submitter sees
    done: bool  # whether the task looks complete with this attempt


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
    """A pending task has all requested attempts and needs a review."""

    team_id: str
    mode: Mode
    project_id: str
    batch_id: str | None
    task_id: str
    proposed: str  # JSON: the response that its attempts lead to
    confidence: float
    reason: ReviewReason
    now: int


@dataclass(frozen=True, slots=True)
class ResultsDue(Event):
    """These pending tasks are closed for work, and their results are computed in the background."""

    team_id: str
    task_ids: tuple[str, ...]
    forced: bool  # whether the result completes the task regardless of its confidence, without a review
    now: int


@dataclass(frozen=True, slots=True)
class TasksEnded(Event):
    """These pending tasks have ended; `status` is their new state."""

    team_id: str
    mode: Mode
    task_ids: tuple[str, ...]
    callback_urls: Mapping[str, str]  # by task id, for the tasks that have one
    status: TaskStatus  # completed or canceled
    now: int
    held: bool  # whether somebody may still hold a claim on one of them

    @classmethod
    def of(cls, tasks: Sequence[Task], status: TaskStatus, now: int, *, held: bool = True) -> "TasksEnded":
        """Builds the event for tasks of one team and mode."""
        urls = {task.id: task.callback_url for task in tasks if task.callback_url is not None}
        return cls(tasks[0].team_id, tasks[0].mode, tuple(task.id for task in tasks), urls, status, now, held)


@dataclass(frozen=True, slots=True)
class AttemptsImported(Event):
    """New tasks were imported with external attempts."""

    tasks: Mapping[str, Task]  # by id
    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class TasksChanged(Event):
    """The responses of these completed tasks have changed."""

    team_id: str
    mode: Mode
    task_ids: tuple[str, ...]
    callback_urls: Mapping[str, str]  # by task id, for the tasks that have one
    now: int


@dataclass(frozen=True, slots=True)
class TaskAudited(Event):
    """A manager has accepted, rejected or fixed this completed task."""

    task: Task
    now: int


@dataclass(frozen=True, slots=True)
class CallbackAsked(Event):
    """A manager requests that the callback of this ended task is sent again."""

    task: Task
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Selects the tasks of a list or an export; None does not filter."""

    project_id: str | None = None
    batch_id: str | None = None
    status: TaskStatus | None = None
    type: str | None = None
    reviews: tuple[ReviewStatus, ...] | None = None
    claim_id: str | None = None
    unique_ids: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None  # at least one of them
    created_from: int | None = None  # both ends of each range are included
    created_to: int | None = None
    updated_from: int | None = None
    updated_to: int | None = None
    completed_from: int | None = None
    completed_to: int | None = None
