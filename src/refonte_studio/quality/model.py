"""Tasks whose answer is known, and how people did on them."""

from dataclasses import dataclass
from enum import StrEnum


class CourseState(StrEnum):
    OPEN = "open"  # there is training to pass before real work
    PASSED = "passed"
    PAUSED = "paused"  # nothing of the project is to be had until a manager lifts the pause


@dataclass(frozen=True, slots=True)
class QualityTask:
    """A training or evaluation task. `params`, `expected_response`, `initial_response` are JSON objects."""

    task_id: str
    expected_response: str
    initial_response: str | None


@dataclass(frozen=True, slots=True)
class TrainingAttempt:
    """One person's attempt of a quality task. The score is from 0 to 1; attempts count from 1."""

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
    """What a person is shown of their own attempt of a training task. Responses are JSON objects."""

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
    """How far a person has come in the training of a project."""

    project: str
    tasks: int
    passed: int
    paused: bool

    @property
    def left(self) -> int:
        """How many tasks are yet to be passed."""
        return self.tasks - self.passed

    @property
    def state(self) -> CourseState:
        if self.paused:
            return CourseState.PAUSED
        return CourseState.OPEN if self.left else CourseState.PASSED


@dataclass(frozen=True, slots=True)
class Tally:
    """How somebody did in the evaluation tasks of a project that count."""

    evaluated: int = 0
    passed: int = 0
    mean_score: float = 0.0

    @property
    def accuracy(self) -> float:
        """The share that was passed; of at least one."""
        return self.passed / self.evaluated


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands in a project: evaluation, training, pause."""

    email: str
    tally: Tally
    course: Course
    paused_at: int | None
    pause_reason: str | None
