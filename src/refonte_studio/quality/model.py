"""Training and evaluation tasks, which have an expected response, and people's performance on them."""

from dataclasses import dataclass
from enum import StrEnum


class CourseState(StrEnum):
    OPEN = "open"  # training must be passed before real work
    PASSED = "passed"
    PAUSED = "paused"  # no work of the project until a manager lifts the pause


@dataclass(frozen=True, slots=True)
class QualityTask:
    """A training or evaluation task. `params`, `expected_response`, `initial_response` are JSON objects."""

    task_id: str
    expected_response: str
    initial_response: str | None


@dataclass(frozen=True, slots=True)
class TrainingAttempt:
    """One person's attempt at a quality task. `score` is from 0 to 1; `attempt` starts at 1."""

    id: str
    quality_task_id: str
    project: str
    labeler_email: str
    attempt: int
    score: float
    passed: bool
    response: str
    expected_response: str
    started_at: int
    submitted_at: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """The feedback on a person's own attempt at a training task. Responses are JSON objects."""

    claim_id: str
    task_id: str
    project_id: str
    score: float
    passed: bool
    attempt: int
    attempts_left: int
    response: str
    expected_response: str


@dataclass(frozen=True, slots=True)
class Course:
    """A person's progress in the training of a project."""

    project: str
    tasks: int
    passed: int
    paused: bool

    @property
    def left(self) -> int:
        """The number of tasks that are not passed yet."""
        return self.tasks - self.passed

    @property
    def state(self) -> CourseState:
        if self.paused:
            return CourseState.PAUSED
        return CourseState.OPEN if self.left else CourseState.PASSED


@dataclass(frozen=True, slots=True)
class Tally:
    """A person's performance on the evaluation tasks of a project that count."""

    evaluated: int = 0
    passed: int = 0
    mean_score: float = 0.0

    @property
    def accuracy(self) -> float:
        """The share of passed evaluation tasks; requires at least one."""
        return self.passed / self.evaluated


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's standing in a project: evaluation, training, pause."""

    email: str
    tally: Tally
    course: Course
    paused_at: int | None
    pause_reason: str | None
