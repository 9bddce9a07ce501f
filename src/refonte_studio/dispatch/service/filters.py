"""What a labeler may ask for by name. Part of the room's service."""

from collections.abc import Awaitable, Callable, Mapping

from refonte_studio.batches import service as batches
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Role
from refonte_studio.kit.errors import NotFound, shown
from refonte_studio.projects import service as projects

MaySee = Callable[[Tx, Caller, str], Awaitable[bool]]


async def _is_assigned(tx: Tx, caller: Caller, project_id: str) -> bool:
    return bool(await projects.is_assigned(tx, project_id, [caller.teammate_id]))


async def ids_filtered_by(
    tx: Tx, caller: Caller, project: str | None, batch: str | None, may_see: MaySee = _is_assigned
) -> tuple[str | None, str | None]:
    """The ids of the project and the batch that two filters name.

    Raises NotFound. To a labeler, a project that they may not see is not there, and neither are its batches: the error
    is the same.
    """
    if caller.role is not Role.LABELER or (project is None and batch is None):
        return await batches.ids_filtered_by(tx, caller, project, batch)
    named = [f"{kind} {shown(name)}" for kind, name in (("project", project), ("batch", batch)) if name is not None]
    missing = NotFound(f"there is no {' with the '.join(named)}")
    try:
        project_id, batch_id = await batches.ids_filtered_by(tx, caller, project, batch)
    except NotFound as error:
        raise missing from error
    if project_id is None or not await may_see(tx, caller, project_id):
        raise missing
    return project_id, batch_id


async def check(tx: Tx, caller: Caller, named: Mapping[str, str]) -> None:
    """Raises NotFound if `project` or `batch` names what is not there for the caller."""
    await ids_filtered_by(tx, caller, named.get("project"), named.get("batch"))
