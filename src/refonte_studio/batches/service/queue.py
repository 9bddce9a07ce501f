"""Use-cases of the queue: the pending batches of Studio projects, in order of priority."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from refonte_studio.batches import policy
from refonte_studio.batches.model import Batch, BatchSummary, Counts
from refonte_studio.batches.store import batches as batch_store
from refonte_studio.batches.store import counts as count_store
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.errors import BadInput, NotFound, StudioError, shown
from refonte_studio.kit.names import name_key
from refonte_studio.projects import service as projects


def queue_lock(team_id: str, mode: Mode) -> str:
    """Returns the name of the lock to take before changing positions in the queue."""
    return f"queue:{team_id}:{mode}"


async def pending(tx: Tx, caller: Caller, project: str | None = None, group: str | None = None) -> list[BatchSummary]:
    """Returns the pending batches in order of priority, optionally of one project or group.

    Raises NotFound for an unknown project or group.
    """
    queue = await batch_store.queue(tx, caller.team_id, caller.mode)
    chosen = await _chosen(tx, caller, queue, project, group, NotFound)
    places = _places(batch.id for batch in queue)
    return await _listed(tx, caller.team_id, [batch for batch in queue if batch.id in chosen], places)


async def set_priorities(
    tx: Tx, caller: Caller, names: Sequence[str], project: str | None = None, group: str | None = None
) -> list[BatchSummary]:
    """Moves the named batches to the front, in that order; the others keep their order. Returns all pending batches.

    With a group (or project), only its batches exchange positions. Raises BadInput for a name that is unknown, not
    pending, repeated or outside the group; then nothing changes.
    """
    await tx.lock(queue_lock(caller.team_id, caller.mode))
    queue = await batch_store.queue(tx, caller.team_id, caller.mode)
    chosen = await _chosen(tx, caller, queue, project, group, BadInput)
    first = _first(queue, chosen, names)
    if first:
        await _rearrange(tx, caller, queue, policy.put_first([batch.id for batch in queue], chosen, first))
    return await pending(tx, caller)


def _first(queue: Sequence[Batch], chosen: set[str], names: Sequence[str]) -> list[str]:
    """Returns the ids of the named batches. Raises BadInput unless each is one of the chosen batches, named once."""
    by_name = {batch.name: batch.id for batch in queue}
    keys = [name_key(name) for name in names]
    unknown = [name for name, key in zip(names, keys, strict=True) if key not in by_name]
    if unknown:
        raise BadInput(f"there is no pending batch {_list(unknown)}")
    outside = [key for key in keys if by_name[key] not in chosen]
    if outside:
        raise BadInput(f"batch {_list(outside)} is not in the group or project whose batches are to be reordered")
    repeated = [name for name, times in Counter(keys).items() if times > 1]
    if repeated:
        raise BadInput(f"batch {_list(repeated)} is named more than once")
    return [by_name[key] for key in keys]


async def reset_priorities(
    tx: Tx, caller: Caller, project: str | None = None, group: str | None = None
) -> list[BatchSummary]:
    """Restores the initial order: calibration batches first, then by creation. Returns all pending batches.

    With a group (or project), only its batches exchange positions. Raises BadInput if it is unknown.
    """
    await tx.lock(queue_lock(caller.team_id, caller.mode))
    queue = await batch_store.queue(tx, caller.team_id, caller.mode)
    chosen = await _chosen(tx, caller, queue, project, group, BadInput)
    await _rearrange(tx, caller, queue, policy.put_back(queue, chosen))
    return await pending(tx, caller)


async def prioritize(tx: Tx, caller: Caller, name: str, place: int) -> Batch:
    """Moves a pending batch to a position among all pending ones, starting at 1. Raises BadInput if it is not
    pending."""
    await tx.lock(queue_lock(caller.team_id, caller.mode))
    batch = await _find(tx, caller, name)
    queue = await batch_store.queue(tx, caller.team_id, caller.mode)
    ids = [each.id for each in queue]
    if batch.id not in ids:
        why = f"it is {batch.state}" if batch.studio else "its project is not a Studio project"
        raise BadInput(f"batch {shown(name)} has no place in the queue: {why}")
    await _rearrange(tx, caller, queue, policy.put_at(ids, batch.id, place))
    return batch


async def set_groups(tx: Tx, caller: Caller, name: str, groups: Sequence[str], now: int) -> BatchSummary:
    """Sets the groups that may work on the batch; an empty list opens it to everyone assigned to the project.

    Raises BadInput for an unknown group, a person not assigned to the project, and a batch outside Studio projects;
    then nothing changes.
    """
    batch = await _find(tx, caller, name)
    if not batch.studio:
        raise BadInput(f"batch {shown(name)} belongs to a project that is not a Studio project")
    await batch_store.lock_for_change(tx, batch)
    project = await projects.by_id(tx, caller.team_id, batch.project_id)
    found = await projects.groups_for_batch(tx, project, groups, now)
    await batch_store.set_groups(tx, batch, [group.id for group in found])
    places = _places(await batch_store.queue_ids(tx, caller.team_id, caller.mode))
    return (await _listed(tx, caller.team_id, [batch], places))[0]


async def _find(tx: Tx, caller: Caller, name: str) -> Batch:
    batch = await batch_store.by_name(tx, caller.team_id, caller.mode, name_key(name))
    if batch is None:
        raise NotFound(f"there is no batch {shown(name)}")
    return batch


async def _chosen(
    tx: Tx,
    caller: Caller,
    queue: Sequence[Batch],
    project: str | None,
    group: str | None,
    error: type[StudioError],
) -> set[str]:
    """Returns the ids of the queued batches that match a project and a group. Raises `error` for unknown ones."""
    find = projects.find if error is NotFound else projects.find_in_body
    project_id = (await find(tx, caller.team_id, caller.mode, project)).id if project is not None else None
    ids = [batch.id for batch in queue if project_id is None or batch.project_id == project_id]
    if group is None:
        return set(ids)
    group_ids = set(await projects.group_ids_named(tx, caller.team_id, caller.mode, group, project_id))
    if not group_ids:
        raise error(f"there is no group {shown(group)}" + (f" in project {shown(project)}" if project else ""))
    groups = await batch_store.groups_of(tx, caller.team_id, ids)
    return {batch_id for batch_id in ids if not group_ids.isdisjoint(groups.get(batch_id, ()))}


async def _rearrange(tx: Tx, caller: Caller, queue: Sequence[Batch], order: Sequence[str]) -> None:
    """Writes the positions that change. The caller holds the queue's lock."""
    present = {batch.id: batch.position for batch in queue}
    changed = {batch_id: place for batch_id, place in _places(order).items() if present[batch_id] != place}
    if changed:
        await batch_store.set_positions(tx, caller.team_id, caller.mode, changed)


async def _listed(tx: Tx, team_id: str, batches: Sequence[Batch], places: Mapping[str, int]) -> list[BatchSummary]:
    """Returns the batches with their projects, groups and counts, using a fixed number of statements."""
    if not batches:
        return []
    ids = [batch.id for batch in batches]
    counts = await count_store.of_batches(tx, ids)
    project_names = await projects.names_by_ids(tx, team_id, sorted({batch.project_id for batch in batches}))
    groups = await batch_store.groups_of(tx, team_id, ids)
    names = await projects.group_names(tx, team_id, sorted({one for several in groups.values() for one in several}))
    return [
        BatchSummary(
            batch,
            project_names[batch.project_id],
            places.get(batch.id),
            counts.get(batch.id, Counts()),
            tuple(names[group_id] for group_id in groups.get(batch.id, ())),
        )
        for batch in batches
    ]


def _places(ids: Iterable[str]) -> dict[str, int]:
    return {batch_id: place for place, batch_id in enumerate(ids, 1)}


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names[:10]))
