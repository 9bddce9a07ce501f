"""Batches: tasks of a project that are worked on together, and their position in the queue."""

from dataclasses import dataclass
from typing import Literal, get_args

from refonte_studio.db import Event
from refonte_studio.kit.caller import Mode

BatchType = Literal["Production", "Calibration", "SelfLabel"]
BatchState = Literal["staging", "in_progress", "completed"]
STATES: tuple[BatchState, ...] = get_args(BatchState)

STAGING: BatchState = "staging"
IN_PROGRESS: BatchState = "in_progress"
COMPLETED: BatchState = "completed"

# The state that follows each move. A batch of a Studio project starts in `staging`; any other batch, and every default
# batch, starts `in_progress`.
MOVES: dict[tuple[BatchState, str], BatchState] = {
    (STAGING, "finalize"): IN_PROGRESS,
    (IN_PROGRESS, "complete"): COMPLETED,  # never a Studio project's default batch
    (COMPLETED, "reopen"): IN_PROGRESS,  # never in a Studio project
}


@dataclass(frozen=True, slots=True)
class Batch:
    id: str
    team_id: str
    mode: Mode
    project_id: str
    name: str
    batch_type: BatchType
    studio: bool  # whether it belongs to a Studio project
    is_default: bool  # whether it is its project's default batch
    state: BatchState
    position: int | None  # position in the queue, with gaps; None unless it is pending in a Studio project
    callback: str | None
    metadata: str  # a JSON object
    created_at: int
    finalized_at: int | None
    completed_at: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of tasks of a batch in each state."""

    pending: int = 0
    completed: int = 0
    canceled: int = 0

    @property
    def total(self) -> int:
        return self.pending + self.completed + self.canceled


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """A batch of a Studio project with what its listing shows."""

    batch: Batch
    project_name: str
    priority: int | None  # position among all pending batches of the team and mode, starting at 1
    counts: Counts
    groups: tuple[str, ...]  # names, in the order given


@dataclass(frozen=True, slots=True)
class BatchCompleted(Event):
    """A batch has just been completed."""

    batch: Batch
    now: int
