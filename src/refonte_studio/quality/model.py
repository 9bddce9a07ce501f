"""Tasks whose answer is known, and how people did on them."""

from dataclasses import dataclass

PASS_MARK = 0.8  # the score, from 0 to 1, at which a training task is passed unless its project says otherwise


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
