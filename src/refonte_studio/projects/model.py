"""Projects, their assigned people, and their groups of labelers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from refonte_studio.consensus.model import DEFAULT_METHOD
from refonte_studio.db import Event
from refonte_studio.kit.caller import Mode

ANY_TYPE = "any"  # the type of the default project
DEFAULT_NAME = "default"  # the name of the default project, unless another project has it

Pipeline = Literal["standard_task", "consensus_task"]
PIPELINES: tuple[Pipeline, ...] = get_args(Pipeline)
MIN_ATTEMPTS, MAX_ATTEMPTS = 2, 15  # bounds on the attempts of a consensus
STANDARD: Pipeline = "standard_task"
CONSENSUS: Pipeline = "consensus_task"


SendTo = Literal["same", "different", "anyone"]
SENDS_TO: tuple[SendTo, ...] = get_args(SendTo)
MIX_OF = 65_536


class QualitySettings(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The quality settings of a project. Shares, accuracies and confidences range from 0 to 1."""

    consensus_method: str = DEFAULT_METHOD  # one of consensus.model.METHODS
    # with `target_confidence`: request this many attempts, then more until it is reached
    min_attempts: int | None = None
    target_confidence: float | None = None
    review_levels: int = 0  # number of reviews of each task after its attempts
    review_below: float | None = None  # a result with a lower confidence is reviewed once, even without levels
    rejects_to: SendTo = "different"  # who redoes a rejected task, unless the reviewer decides otherwise
    audit_rate: float = 0.0  # share of completed tasks to audit
    pass_mark: float = 0.8  # the score at which a training or evaluation task is passed
    training_attempts: int = 3  # maximum attempts of one labeler at a training task
    training_feedback: bool = True  # whether a labeler sees the expected response in training
    evaluation_rate: float = 0.2  # share of work tasks that an evaluation task precedes
    pause_below: float | None = None  # a labeler whose evaluation accuracy is lower is paused,
    pause_after: int = 10  # after at least this many evaluation tasks

    @property
    def adaptive(self) -> bool:
        """Whether a task requests further attempts only while its result is uncertain."""
        return self.target_confidence is not None


DEFAULTS = QualitySettings()


@lru_cache(maxsize=256)
def settings_of(text: str | None) -> QualitySettings:
    """Parses settings stored as JSON; None stands for the defaults."""
    return DEFAULTS if text is None else msgspec.json.decode(text, type=QualitySettings)


@dataclass(frozen=True, slots=True)
class Project:
    """A project with the latest version of its parameters."""

    id: str
    team_id: str
    mode: Mode
    name: str
    type: str
    studio: bool
    rapid: bool
    dataset_id: str | None
    pipeline: Pipeline
    consensus_attempts: int  # kept while the pipeline is standard
    version: int
    params: str  # a JSON object
    created_at: int
    quality: QualitySettings = DEFAULTS
    evaluates: bool = False  # whether it has, or ever had, evaluation tasks
    archived_at: int | None = None  # since when it is archived: it gives out no work and accepts no tasks

    @property
    def attempts_wanted(self) -> int:
        """The number of attempts that a new task of this project requests."""
        if self.adaptive:
            return min(self.quality.min_attempts or MIN_ATTEMPTS, self.consensus_attempts)
        return self.attempts_most

    @property
    def attempts_most(self) -> int:
        """The maximum number of attempts that a task of this project may request."""
        return self.consensus_attempts if self.pipeline == CONSENSUS else 1

    @property
    def adaptive(self) -> bool:
        """Whether its tasks request further attempts only while their result is uncertain."""
        return self.pipeline == CONSENSUS and self.quality.adaptive


@dataclass(frozen=True, slots=True)
class Version:
    """One complete version of a project's parameters."""

    number: int
    params: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Template:
    """The parts of a task that its project defines."""

    project: Project
    updated_at: int
    variables: dict[str, Any]
    response_schema: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Group:
    """Labelers of a project. A singleton group represents one person; its name is their address."""

    id: str
    project_id: str
    name: str
    singleton: bool
    workers: tuple[tuple[str, str], ...]  # (teammate id, e-mail), by e-mail


@dataclass(frozen=True, slots=True)
class Pause:
    """The state of a person's assignment. They may not claim in the project while `paused_at` is set."""

    teammate_id: str
    email: str
    project_id: str
    project: str
    paused_at: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Paused(Event):
    """These people may no longer claim in the project."""

    team_id: str
    mode: Mode
    teammate_ids: tuple[str, ...]
    project_id: str
    now: int


@dataclass(frozen=True, slots=True)
class PauseLifted(Event):
    """These people may claim in the project again; their counts restart."""

    team_id: str
    mode: Mode
    teammate_ids: tuple[str, ...]
    project_id: str
    now: int


@dataclass(frozen=True, slots=True)
class QualityChanged(Event):
    """A project's quality settings have changed."""

    before: Project
    after: Project
    now: int


@dataclass(frozen=True, slots=True)
class Unassigned(Event):
    """These people are no longer assigned to these projects."""

    team_id: str
    mode: Mode
    teammate_ids: tuple[str, ...]
    project_ids: tuple[str, ...]
    now: int


class ProjectOut(msgspec.Struct, kw_only=True):
    """A project in API responses."""

    id: str
    name: str
    type: str
    created_at: str
    studio: bool
    rapid: bool
    archived: bool
    version: int
    params: dict[str, Any]
    param_history: list[dict[str, Any]]  # oldest first; each has `version`, `created_at` and the parameters
    pipeline: Pipeline | UnsetType = UNSET  # of Studio projects
    consensus_attempts: int | UnsetType = UNSET  # of Studio projects whose pipeline is consensus_task
    min_attempts: int | UnsetType = UNSET  # of adaptive consensus projects
    target_confidence: float | UnsetType = UNSET
    datasetId: str | UnsetType = UNSET


EXAMPLE: Mapping[str, Any] = {
    "id": "6553f1a0c8e25b7d91f0a3c4",
    "name": "Dog photographs",
    "type": "categorization",
    "created_at": "2023-08-09T16:12:38.072Z",
    "studio": True,
    "rapid": False,
    "archived": False,
    "version": 1,
    "params": {"instruction": "Which breed is it?"},
    "param_history": [
        {"instruction": "Which breed is it?", "version": 1, "created_at": "2023-08-09T16:12:38.072Z"},
    ],
    "pipeline": "consensus_task",
    "consensus_attempts": 3,
}
