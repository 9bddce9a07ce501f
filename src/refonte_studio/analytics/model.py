"""Analytics for managers: figures of work, disagreement between labelers, and forecasts of batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Subject = Literal["project", "batch", "group", "labeler"]

DAY_HOURS = 24
HISTORY_DAYS = 14  # what a forecast knows of people's work


@dataclass(frozen=True, slots=True)
class AnalyticsQuery:
    """The filters of an analytics query, as given by the client."""

    now: int
    project: str | None = None
    batch: str | None = None
    group: str | None = None
    emails: Sequence[str] | None = None
    start: str | None = None  # None: since there is any
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
    timed: int = 0  # those whose duration is known: not the imported ones
    rejected: int = 0
    active_ms: int = 0
    median_ms: int | None = None
    p90_ms: int | None = None
    first: int | None = None  # when the first of the timed ones was submitted
    agreement: float | None = None


@dataclass(frozen=True, slots=True)
class Subjected:
    """A project, batch, group or labeler that figures are about."""

    id: str
    name: str
    project_id: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of figures. `pending` and `completed` are as of now, all else is of the period."""

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
    accuracy: tuple[float, float, float] | None  # the share passed, and its 95 % interval
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
    """Attempts, the newest first; `truncated` if there are more than were read."""

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
    agreed: int  # on how many of them they say the same
    agreement: float  # the mean over the tasks, 0 to 1
    kappa: float | None  # Cohen's; None where their answers are no labels, or chance alone explains all


# ------------------------------------------------------------------------------------------- forecast


@dataclass(frozen=True, slots=True)
class ProjectPace:
    """Attempts at a project's tasks, and the time they took together."""

    attempts: int
    active_ms: float


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who may work, and the time they have spent on attempts, by day and hour.

    A day here is 24 hours that end now or so many days ago: `work[0]` are the last 24 hours, `work[0][23]` the last
    one. Of a person who came later than `HISTORY_DAYS` ago, only the days since then are there.
    """

    id: str
    work: Sequence[Sequence[float]]  # milliseconds
    pace: Mapping[str, ProjectPace]  # by project id


@dataclass(frozen=True, slots=True)
class QueuedBatch:
    """A pending batch in the queue. `people` are the places in the list of workers of those who may work it."""

    id: str
    project_id: str
    remaining: int  # attempts
    tasks: int  # pending ones that still want attempts
    wanted: int  # the most people that any of them wants in all
    people: Sequence[int]
    had: Mapping[int, int] = field(default_factory=dict[int, int])  # tasks that such a person has had, where it counts


@dataclass(frozen=True, slots=True)
class ForecastInput:
    """The input of a forecast: the queue in its order, the people, and the pace of each project."""

    lines: Sequence[QueuedBatch]
    workers: Sequence[Worker]
    paces: Mapping[str, ProjectPace]  # of everybody, by project id


Basis = Literal["measured", "pooled"]  # the pace of those who may work it, or that of their colleagues


@dataclass(frozen=True, slots=True)
class Finish:
    """The forecast completion of a batch in milliseconds from now: median and 80 % interval; None if unknown."""

    median: int | None
    low: int | None
    high: int | None
    starts: int | None  # the median of when work on it begins
    basis: Basis | None
    reason: str | None  # why nothing, or not all, is foreseen


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A pending batch, and when it will be finished."""

    batch: str
    project: str
    remaining: int
    awaiting_review: int
    people: int
    finish: Finish


@dataclass(frozen=True, slots=True)
class Queue:
    """The pending batches whose forecast is asked for, and what it is made of. `shown` are places in its queue."""

    known: ForecastInput
    names: Sequence[tuple[str, str]]  # (batch, project) of every line
    reviewing: Sequence[int]  # tasks of every line that wait for a review
    shown: Sequence[int]
    left_out: int  # batches beyond those that are looked at


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
