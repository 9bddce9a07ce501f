"""Use-cases that change a Studio project's pipeline and quality settings, and apply them to its tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refonte_studio.batches import service as batches
from refonte_studio.db import Tx
from refonte_studio.db.engine import takes_long
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import ProjectOut, QualitySettings
from refonte_studio.tasks.service.completion import complete_attempted, update_wanted_attempts


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of completing the attempted tasks of a batch."""

    name: str
    completed: int  # by this call
    pending: int  # tasks that stay pending, because they have no attempt


@takes_long
async def send_to_completed(
    tx: Tx, caller: Caller, project_name: str, every: bool, names: Sequence[str] | None, now: int
) -> list[Sent]:
    """Completes the pending tasks that have an attempt, in these batches of a project or in all of them.

    Raises NotFound for an unknown project, BadInput for a batch that it does not have or if no batch is named.
    """
    project = await projects.find(tx, caller.team_id, caller.mode, project_name)
    if every:
        chosen = await batches.of_project(tx, project)
    elif names:
        chosen = await batches.in_project(tx, project, names)
    else:
        raise BadInput("all_batches or batches is required" if names is None else "batches must not be an empty list")
    ids = [batch.id for batch in chosen]
    completed = await complete_attempted(tx, caller.team_id, ids, now)
    counts = await batches.counts(tx, ids)
    return [Sent(batch.name, completed[batch.id], counts[batch.id].pending) for batch in chosen]


@takes_long
async def update_pipeline(
    tx: Tx,
    caller: Caller,
    project_name: str,
    pipeline: str | None,
    consensus_attempts: int | None,
    adaptive: Mapping[str, Any],
    now: int,
) -> ProjectOut:
    """Sets a Studio project's pipeline; its open tasks follow at once.

    Without `pipeline`, the present one is kept. `adaptive` may hold `min_attempts` and `target_confidence`. Raises
    NotFound, or BadInput for values that are not allowed.
    """
    project = await projects.find(tx, caller.team_id, caller.mode, project_name)
    if pipeline is None and consensus_attempts is None and not adaptive:
        raise BadInput("pipeline is required")
    project = await projects.set_pipeline(tx, project, pipeline or project.pipeline, consensus_attempts)
    project = await projects.set_quality(tx, project, adaptive, now)
    await update_wanted_attempts(tx, project, now)
    return (await projects.described(tx, caller.team_id, [project]))[0]


async def quality_settings(tx: Tx, caller: Caller, project_name: str) -> QualitySettings:
    """Returns a project's quality settings. Raises NotFound."""
    return (await projects.find(tx, caller.team_id, caller.mode, project_name)).quality


@takes_long
async def set_quality(
    tx: Tx, caller: Caller, project_name: str, changes: Mapping[str, Any], now: int
) -> QualitySettings:
    """Changes some of a project's quality settings; open tasks follow at once, open reviews continue.

    None resets a setting to its default. Raises NotFound, or BadInput for values that are not allowed.
    """
    project = await projects.find(tx, caller.team_id, caller.mode, project_name)
    changed = await projects.set_quality(tx, project, changes, now)
    asks = changed.attempts_wanted, changed.quality.target_confidence
    if asks != (project.attempts_wanted, project.quality.target_confidence):
        await update_wanted_attempts(tx, changed, now)
    return changed.quality
