"""Projects, who is assigned to them, and the groups of labelers within them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from refonte_studio.consensus.model import DEFAULT_METHOD
from refonte_studio.db import Event
from refonte_studio.kit.caller import Mode

ANY_TYPE = "any"  # the default project's
DEFAULT_NAME = "default"  # its name, unless another project has it

Pipeline = Literal["standard_task", "consensus_task"]
PIPELINES: tuple[Pipeline, ...] = get_args(Pipeline)
MIN_ATTEMPTS, MAX_ATTEMPTS = 2, 15  # of a consensus
STANDARD: Pipeline = "standard_task"
CONSENSUS: Pipeline = "consensus_task"


SendTo = Literal["same", "different", "anyone"]
SENDS_TO: tuple[SendTo, ...] = get_args(SendTo)
MIX_OF = 65_536


class QualitySettings(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a project does for the quality of its labels. Shares, accuracies and confidences are from 0 to 1."""

    consensus_method: str = DEFAULT_METHOD  # one of consensus.model.METHODS
    min_attempts: int | None = None  # with `target_confidence`: ask so many, then more until it is reached
    target_confidence: float | None = None
    review_levels: int = 0  # how many reviews each task goes through after its attempts
    review_below: float | None = None  # a result of less confidence is reviewed once, even without levels
    rejects_to: SendTo = "different"  # who does a rejected task again, unless the reviewer says otherwise
    audit_rate: float = 0.0  # the share of completed tasks that are to be audited
    pass_mark: float = 0.8  # the score at which a training or evaluation task is passed
    training_attempts: int = 3  # how often a labeler may try a training task
    training_feedback: bool = True  # whether a labeler is shown what was expected in training
    evaluation_rate: float = 0.2  # the share of tasks for work that an evaluation task comes before
    pause_below: float | None = None  # a labeler whose accuracy in evaluation is less is paused,
    pause_after: int = 10  # once so many evaluation tasks are done

    @property
    def adaptive(self) -> bool:
        """Whether a task is asked of more people only as long as its answer is not clear."""
        return self.target_confidence is not None


DEFAULTS = QualitySettings()


@lru_cache(maxsize=256)
def settings_of(text: str | None) -> QualitySettings:
    """The settings that are kept as JSON; the defaults, where there are none."""
    return DEFAULTS if text is None else msgspec.json.decode(text, type=QualitySettings)


@dataclass(frozen=True, slots=True)
class Project:
    """A project with the newest version of its parameters."""

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
    evaluates: bool = False  # whether it has evaluation tasks, or had any
    archived_at: int | None = None  # since when it gives out no work and takes no tasks

    @property
    def attempts_wanted(self) -> int:
        """How many attempts a new task of this project asks for."""
        if self.adaptive:
            return min(self.quality.min_attempts or MIN_ATTEMPTS, self.consensus_attempts)
        return self.attempts_most

    @property
    def attempts_most(self) -> int:
        """How many attempts a task of this project is asked for at most."""
        return self.consensus_attempts if self.pipeline == CONSENSUS else 1

    @property
    def adaptive(self) -> bool:
        """Whether its tasks are asked of more people only as long as the answer is not clear."""
        return self.pipeline == CONSENSUS and self.quality.adaptive


@dataclass(frozen=True, slots=True)
class Version:
    """A project's parameters as of one version, whole."""

    number: int
    params: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Template:
    """What a task of a project consists of, as far as the project fixes it."""

    project: Project
    updated_at: int
    variables: dict[str, Any]
    response_schema: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Group:
    """Labelers of a project. A singleton stands for one person and bears their address as its name."""

    id: str
    project_id: str
    name: str
    singleton: bool
    workers: tuple[tuple[str, str], ...]  # (teammate id, e-mail), by e-mail


@dataclass(frozen=True, slots=True)
class Pause:
    """A person may not claim in a project that they are assigned to. Without `paused_at` they may (again)."""

    teammate_id: str
    email: str
    project_id: str
    project: str
    paused_at: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Paused(Event):
    """These people, who might, may not claim in the project any more."""

    team_id: str
    mode: Mode
    teammate_ids: tuple[str, ...]
    project_id: str
    now: int


@dataclass(frozen=True, slots=True)
class PauseLifted(Event):
    """These people may claim in the project again, and begin anew."""

    team_id: str
    mode: Mode
    teammate_ids: tuple[str, ...]
    project_id: str
    now: int


@dataclass(frozen=True, slots=True)
class QualityChanged(Event):
    """A project's quality settings are not what they were."""

    before: Project
    after: Project
    now: int


@dataclass(frozen=True, slots=True)
class Unassigned(Event):
    """None of these people is assigned to any of these projects any more."""

    team_id: str
    mode: Mode
    teammate_ids: tuple[str, ...]
    project_ids: tuple[str, ...]
    now: int


class ProjectOut(msgspec.Struct, kw_only=True):
    """A project, as every room's API shows it."""

    id: str
    name: str
    type: str
    created_at: str
    studio: bool
    rapid: bool
    archived: bool
    version: int
    params: dict[str, Any]
    param_history: list[dict[str, Any]]  # oldest first; each with `version`, `created_at` and the parameters
    pipeline: Pipeline | UnsetType = UNSET  # of Studio projects
    consensus_attempts: int | UnsetType = UNSET  # of Studio projects whose pipeline is consensus_task
    min_attempts: int | UnsetType = UNSET  # of those that ask on until the answer is clear
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
