"""Projects, who is assigned to them, and the groups of labelers within them."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from refonte_studio.db import Event
from refonte_studio.kit.caller import Mode

TASK_TYPES = (
    "annotation",
    "categorization",
    "comparison",
    "cuboidannotation",
    "datacollection",
    "documenttranscription",
    "imageannotation",
    "lineannotation",
    "namedentityrecognition",
    "pointannotation",
    "polygonannotation",
    "segmentannotation",
    "textcollection",
    "transcription",
    "videoannotation",
    "videoplaybackannotation",
)
ANY_TYPE = "any"  # the default project's

Pipeline = Literal["standard_task", "consensus_task"]
PIPELINES: tuple[Pipeline, ...] = get_args(Pipeline)
STANDARD: Pipeline = "standard_task"
CONSENSUS: Pipeline = "consensus_task"


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

    @property
    def attempts_wanted(self) -> int:
        """How many attempts complete a task of this project."""
        return self.consensus_attempts if self.pipeline == CONSENSUS else 1


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
    version: int
    params: dict[str, Any]
    param_history: list[dict[str, Any]]  # oldest first; each with `version`, `created_at` and the parameters
    pipeline: Pipeline | UnsetType = UNSET  # of Studio projects
    consensus_attempts: int | UnsetType = UNSET  # of Studio projects whose pipeline is consensus_task
    datasetId: str | UnsetType = UNSET
