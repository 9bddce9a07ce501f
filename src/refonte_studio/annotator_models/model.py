"""The input and the output of a fit of annotator models."""

from dataclasses import dataclass

import msgspec

from refonte_studio.kit.caller import Mode


@dataclass(frozen=True, slots=True)
class ProjectDue:
    """A project whose models are to be fitted."""

    team_id: str
    project_id: str
    mode: Mode
    quality: str | None  # JSON object: the changed quality settings
    pipeline: str


@dataclass(frozen=True, slots=True)
class FitState:
    """How far the fit of a project's models is. Times are in milliseconds."""

    attempts: int  # taken into account by the last fit
    asked_at: int | None
    taken_at: int | None
    done_at: int | None


@dataclass(frozen=True, slots=True)
class ChangedTask:
    """A task whose response a fit has changed."""

    id: str
    callback_url: str | None


class FitJob(msgspec.Struct, frozen=True, tag=True):
    """A request to fit the models of a project by its consensus method."""

    team_id: str
    mode: Mode
    project_id: str
    method: str
    target: float | None  # the confidence at which no more people are asked; None unless the project is adaptive
    began: int  # time in milliseconds


class StoredAttempt(msgspec.Struct, frozen=True, array_like=True):
    """The input of a fit: an attempt as it is stored."""

    id: str
    task_id: str
    teammate_id: str
    response: str  # JSON


class StoredTask(msgspec.Struct, frozen=True, array_like=True):
    """The input of a fit: a task as it is stored. Its parameters and responses are JSON."""

    id: str
    type: str
    status: str
    params: str
    response: str | None
    confidence: float | None
    agreement: float | None
    decided: bool  # whether a person has accepted or fixed its response
    settled: bool  # whether its result is final, because a person has decided on it or rejected it
    expected: str | None  # the known answer of a quality task


class FittedQuestion(msgspec.Struct, frozen=True, array_like=True):
    """The model of a question of the project; `alpha` is Krippendorff's alpha, None if undefined."""

    question: str
    type: str
    method: str
    tasks: int
    attempts: int
    alpha: float | None
    model: str


class FittedLabeler(msgspec.Struct, frozen=True, array_like=True):
    """The model of one person for one question."""

    question: str
    teammate_id: str
    answers: int
    accuracy: float
    model: str


class FittedResult(msgspec.Struct, frozen=True, array_like=True):
    """The new result of a task, after a fit."""

    task_id: str
    response: str | None  # None: unchanged
    confidence: float
    agreement: float
    attempts: int  # the number of attempts that it is computed from


class FittedQuestions(msgspec.Struct, frozen=True, tag=True):
    questions: list[FittedQuestion]


class FittedLabelers(msgspec.Struct, frozen=True, tag=True):
    people: list[FittedLabeler]


class FittedResults(msgspec.Struct, frozen=True, tag=True):
    results: list[FittedResult]


class ConfidentTasks(msgspec.Struct, frozen=True, tag=True):
    """Pending tasks whose attempts reach the target confidence."""

    task_ids: list[str]


class FitCompleted(msgspec.Struct, frozen=True, tag=True):
    """The fit is complete."""

    seen: str
    attempts: int


FitOutput = FittedQuestions | FittedLabelers | FittedResults | ConfidentTasks | FitCompleted
