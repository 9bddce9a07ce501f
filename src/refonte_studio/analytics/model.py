"""Analytics for managers: figures of work, disagreement between labelers, and forecasts of batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Subject = Literal["project", "batch", "group", "labeler"]

DAY_HOURS = 24
HISTORY_DAYS = 14  # days of people's work that a forecast uses


@dataclass(frozen=True, slots=True)
class AnalyticsQuery:
    """The filters of an analytics query, as given by the client."""

    now: int
    project: str | None = None
    batch: str | None = None
    group: str | None = None
    emails: Sequence[str] | None = None
    start: str | None = None  # None: from the beginning
    end: str | None = None  # None: now


@dataclass(frozen=True, slots=True)
class Scope:
    """The filters with names resolved to ids. The period excludes `end`."""

    start: int | None
    end: int
    project_id: str | None = None
    batch_id: str | None = None
    people: Sequence[str] | None = None  # None: everybody


@dataclass(frozen=True, slots=True)
class AttemptFigures:
    """Counts and times of the attempts in a period; times in milliseconds."""

    done: int = 0
    timed: int = 0  # attempts with a known duration; imported ones have none
    rejected: int = 0
    active_ms: int = 0
    median_ms: int | None = None
    p90_ms: int | None = None
    first: int | None = None  # when the first timed attempt was submitted
    agreement: float | None = None


@dataclass(frozen=True, slots=True)
class FigureSubject:
    """A project, batch, group or labeler that figures describe."""

    id: str
    name: str
    project_id: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of figures. `pending` and `completed` are current; everything else describes the period."""

    name: str
    project: str | None
    done: AttemptFigures
    per_active_hour: float | None
    per_calendar_day: float | None
    pending: int
    completed: int | None
    skipped: int
    evaluated: int
    passed: int
    accuracy: tuple[float, float, float] | None  # share passed, and the bounds of its 95 % interval
    alpha: float | None


@dataclass(frozen=True, slots=True)
class ComparedAttempt:
    """An attempt and the result that it is compared with; responses and parameters are JSON texts."""

    id: str
    task_id: str
    teammate_id: str
    type: str
    params: str
    response: str
    result: str | None = None


@dataclass(frozen=True, slots=True)
class RecentAttempts:
    """Attempts, newest first. `truncated` says that there are more than were read."""

    attempts: Sequence[ComparedAttempt]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """The number of attempts with `answer` where `result` is correct. Both are JSON texts."""

    result: str
    answer: str
    count: int


@dataclass(frozen=True, slots=True)
class Confusion:
    question: str
    cells: Sequence[Cell]
    by_labeler: Mapping[str, Sequence[Cell]]  # by teammate id


@dataclass(frozen=True, slots=True)
class Pair:
    """The agreement of two labelers on the tasks that both have answered."""

    one: str  # teammate ids
    other: str
    together: int
    agreed: int  # tasks on which their answers are the same
    agreement: float  # the mean over the tasks, 0 to 1
    kappa: float | None  # Cohen's kappa; None where answers are not labels, or chance explains all agreement


# ------------------------------------------------------------------------------------------- forecast


@dataclass(frozen=True, slots=True)
class ProjectPace:
    """The number of attempts at a project's tasks, and their total time."""

    attempts: int
    active_ms: float


@dataclass(frozen=True, slots=True)
class Worker:
    """A person who may work, and the time that they spent on attempts, by day and hour.

    A day is a period of 24 hours that ends now or a whole number of days ago: `work[0]` holds the last 24 hours, and
    `work[0][23]` the last hour. For a person who joined less than `HISTORY_DAYS` ago, there are only the days since
    then.
    """

    id: str
    work: Sequence[Sequence[float]]  # milliseconds
    pace: Mapping[str, ProjectPace]  # by project id


@dataclass(frozen=True, slots=True)
class QueuedBatch:
    """A pending batch in the queue. `people` are indexes of the workers who may work on it."""

    id: str
    project_id: str
    remaining: int  # attempts
    tasks: int  # pending tasks that still need attempts
    wanted: int  # the largest number of people that any of these tasks needs in total
    people: Sequence[int]
    had: Mapping[int, int] = field(default_factory=dict[int, int])  # tasks that workers already had


@dataclass(frozen=True, slots=True)
class ForecastInput:
    """The input of a forecast: the queue in its order, the people, and the pace of each project."""

    lines: Sequence[QueuedBatch]
    workers: Sequence[Worker]
    paces: Mapping[str, ProjectPace]  # of all people, by project id


Basis = Literal["measured", "pooled"]  # the pace of the people who may work on the batch, or that of their colleagues


@dataclass(frozen=True, slots=True)
class CompletionForecast:
    """The forecast completion of a batch in milliseconds from now: median and 80 % interval; None if unknown."""

    median: int | None
    low: int | None
    high: int | None
    starts: int | None  # the median of the time when work on it begins
    basis: Basis | None
    reason: str | None  # why there is no forecast, or only a part of one


@dataclass(frozen=True, slots=True)
class BatchForecast:
    """A pending batch, and the forecast of its completion."""

    batch: str
    project: str
    remaining: int
    awaiting_review: int
    people: int
    finish: CompletionForecast


@dataclass(frozen=True, slots=True)
class Queue:
    """The pending batches that a forecast is requested for, and its input. `shown` are indexes into the queue."""

    known: ForecastInput
    names: Sequence[tuple[str, str]]  # (batch, project) of every queued batch
    reviewing: Sequence[int]  # tasks of every queued batch that wait for a review
    shown: Sequence[int]
    left_out: int  # batches beyond the limit


Votes = Mapping[str, str]
Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BatchRemainder:
    """What is left of a batch with pending tasks."""

    batch_id: str
    remaining: int  # attempts that are still wanted
    tasks: int  # that want them
    wanted: int  # attempts in all, of the one of these tasks that wants the most
    reviewing: int  # tasks under review


@dataclass(frozen=True, slots=True)
class AssignedPerson:
    """An active person who is assigned to a project and not paused in it."""

    project_id: str
    teammate_id: str
    since: int


@dataclass(frozen=True, slots=True)
class HourOfWork:
    """Attempts that a person submitted in a project within one hour."""

    teammate_id: str
    project_id: str
    ago: int  # whole hours
    attempts: int
    active_ms: int  # that they took
