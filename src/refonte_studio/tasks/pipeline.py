"""Use-cases of a Studio project's pipeline, as far as its tasks go."""

from collections.abc import Sequence
from dataclasses import dataclass

from refonte_studio.batches import service as batches
from refonte_studio.db import Tx
from refonte_studio.db.engine import takes_long
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import ProjectOut
from refonte_studio.tasks.completion import complete_attempted, retarget


@dataclass(frozen=True, slots=True)
class Sent:
    """What sending a batch's tasks to completion did."""

    name: str
    completed: int  # by this call
    pending: int  # still, for want of an attempt


@takes_long
async def send_to_completed(
    tx: Tx, caller: Caller, project_name: str, every: bool, names: Sequence[str] | None, now: int
) -> list[Sent]:
    """Completes the pending tasks that have an attempt, in these batches of a project or in every one.

    Raises NotFound for the project, BadInput for a batch that it does not have or if no batch is asked for.
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
    tx: Tx, caller: Caller, project_name: str, pipeline: str | None, consensus_attempts: int | None, now: int
) -> ProjectOut:
    """Sets a Studio project's pipeline; its open tasks follow at once.

    Without `pipeline`, the present one is kept. Raises NotFound, or BadInput if it cannot be set so.
    """
    project = await projects.find(tx, caller.team_id, caller.mode, project_name)
    if pipeline is None and consensus_attempts is None:
        raise BadInput("pipeline is required")
    project = await projects.set_pipeline(tx, project, pipeline or project.pipeline, consensus_attempts)
    await retarget(tx, project, now)
    return (await projects.described(tx, caller.team_id, [project]))[0]
