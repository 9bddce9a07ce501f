"""Use-cases of batches."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from refonte_studio.batches import policy
from refonte_studio.batches.model import COMPLETED, IN_PROGRESS, STAGING, Batch, BatchCompleted, Counts
from refonte_studio.batches.policy import check_not_emptied
from refonte_studio.batches.service.queue import (
    queue_lock,
)
from refonte_studio.batches.store import batches as batch_store
from refonte_studio.batches.store import counts as count_store
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.errors import BadInput, Conflict, NotFound, StudioError, shown
from refonte_studio.kit.ids import new_id
from refonte_studio.kit.names import name_key
from refonte_studio.kit.pages import Page, PageCursor, checked_cursor, page_of
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import Project

FOLD_LIMIT = 10_000


async def create_batch(
    tx: Tx,
    project: Project,
    name: str,
    now: int,
    *,
    callback: str | None = None,
    calibration: bool = False,
    self_label: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> Batch:
    """Creates a batch: in staging for a Studio project, otherwise in progress. Raises Conflict if the name is taken."""
    batch = replace(
        _new_batch(project, policy.checked_batch_name(name), now),
        batch_type=policy.batch_type(calibration, self_label),
        callback=policy.checked_callback(callback),
        metadata=policy.checked_metadata(metadata or {}),
    )
    if not await batch_store.insert(tx, batch):
        raise Conflict(f"there is a batch {shown(name)} already")
    return batch


def _new_batch(project: Project, name: str, now: int) -> Batch:
    return Batch(
        id=new_id(now),
        team_id=project.team_id,
        mode=project.mode,
        project_id=project.id,
        name=name,
        batch_type="Production",
        studio=project.studio,
        is_default=False,
        state=STAGING if project.studio else IN_PROGRESS,
        position=None,
        callback=None,
        metadata="{}",
        created_at=now,
        finalized_at=None,
        completed_at=None,
    )


async def default_batch(tx: Tx, project: Project, now: int) -> Batch:
    """Returns the batch of the project's tasks that name no batch; creates it, open, when first needed."""
    batch = await batch_store.default_of(tx, project.team_id, project.id)
    if batch is not None:
        return batch
    if project.studio:
        await tx.lock(queue_lock(project.team_id, project.mode))
    await tx.lock(f"default-batch:{project.id}")
    batch = await batch_store.default_of(tx, project.team_id, project.id)
    position = await batch_store.position_at_end(tx, project.team_id, project.mode) if project.studio else None
    number = 1
    while batch is None:
        name = f"{project.name} (default)" if number == 1 else f"{project.name} (default {number})"
        made = replace(_new_batch(project, name, now), is_default=True, state=IN_PROGRESS, position=position)
        batch = made if await batch_store.insert(tx, made) else None
        number += 1
    return batch


async def check_filters(tx: Tx, caller: Caller, named: Mapping[str, str]) -> None:
    """Raises NotFound if `project`, `batch` or `group` does not exist, or the batch belongs to another project."""
    project, _ = await filtered_by(tx, caller, named.get("project"), named.get("batch"))
    if "group" in named:
        group, project_id = named["group"], project.id if project is not None else None
        if not await projects.group_ids_named(tx, caller.team_id, caller.mode, group, project_id):
            raise NotFound(f"there is no group {shown(group)}")


async def filtered_by(
    tx: Tx, caller: Caller, project: str | None, batch: str | None
) -> tuple[Project | None, Batch | None]:
    """Returns the project and the batch that two filters name. Raises NotFound, also for a batch of another project."""
    found_project = None if project is None else await projects.find(tx, caller.team_id, caller.mode, project)
    if batch is None:
        return found_project, None
    found_batch = await find(tx, caller.team_id, caller.mode, batch)
    if found_project is not None and found_batch.project_id != found_project.id:
        raise NotFound(f"project {shown(found_project.name)} has no batch {shown(batch)}")
    return found_project, found_batch


async def ids_filtered_by(
    tx: Tx, caller: Caller, project: str | None, batch: str | None
) -> tuple[str | None, str | None]:
    """Returns the ids of what two filters name; a batch alone implies its project. Raises NotFound."""
    found_project, found_batch = await filtered_by(tx, caller, project, batch)
    if found_batch is not None:
        return found_batch.project_id, found_batch.id
    return (None if found_project is None else found_project.id), None


async def find(tx: Tx, team_id: str, mode: Mode, name: str) -> Batch:
    """Returns the batch named in a path or a filter. Raises NotFound."""
    return await _named(tx, team_id, mode, name, NotFound)


async def find_in_body(tx: Tx, team_id: str, mode: Mode, name: str) -> Batch:
    """Returns the batch named in a body. Raises BadInput."""
    return await _named(tx, team_id, mode, name, BadInput)


async def _named(tx: Tx, team_id: str, mode: Mode, name: str, error: type[StudioError]) -> Batch:
    batch = await batch_store.by_name(tx, team_id, mode, name_key(name))
    if batch is None:
        raise error(f"there is no batch {shown(name)}")
    return batch


async def by_id(tx: Tx, team_id: str, batch_id: str) -> Batch:
    """Returns a batch that is known to exist."""
    return (await batch_store.by_ids(tx, team_id, [batch_id]))[batch_id]


async def by_ids(tx: Tx, team_id: str, ids: Sequence[str]) -> dict[str, Batch]:
    """Returns batches by id."""
    return await batch_store.by_ids(tx, team_id, ids)


async def of_project(tx: Tx, project: Project) -> list[Batch]:
    """Returns all batches of the project, oldest first."""
    return await batch_store.of_project(tx, project.team_id, project.id)


async def in_project(tx: Tx, project: Project, names: Sequence[str]) -> list[Batch]:
    """Returns these distinct batches of the project, in order. Raises BadInput naming those it does not have."""
    found = {batch.name: batch for batch in await of_project(tx, project)}
    unknown = [name for name in names if name_key(name) not in found]
    if unknown:
        raise BadInput(f"project {shown(project.name)} has no batch {', '.join(map(shown, unknown[:10]))}")
    return [found[name] for name in dict.fromkeys(map(name_key, names))]


async def batches_page(
    tx: Tx,
    caller: Caller,
    project: Project | None,
    status: str | None,
    times: tuple[int, int],
    limit: int,
    place: PageCursor,
    *,
    exclude_archived: bool = False,
) -> tuple[Page[tuple[Batch, str]], int]:
    """Returns a page of batches with the names of their projects, newest first, and the total number.

    `times` limits the creation time, inclusively. Raises BadInput for an invalid status or cursor.
    """
    checked_cursor(place)
    state = policy.checked_status(status) if status is not None else None
    filters = batch_store.BatchFilter(
        caller.team_id, caller.mode, state, project.id if project else None, *times, exclude_archived
    )
    total = await batch_store.total(tx, filters)
    found = await batch_store.page(tx, filters, limit + 1, place.before, place.offset) if place.offset < total else []
    names = await projects.names_by_ids(tx, caller.team_id, sorted({batch.project_id for batch in found}))
    return page_of([(batch, names[batch.project_id]) for batch in found], limit, lambda row: row[0].id), total


async def set_metadata(tx: Tx, caller: Caller, name: str, metadata: Mapping[str, Any]) -> Batch:
    """Replaces the metadata of a batch. Returns the batch."""
    batch = await find(tx, caller.team_id, caller.mode, name)
    text = policy.checked_metadata(metadata)
    check_not_emptied(metadata, batch.metadata)
    await batch_store.set_metadata(tx, batch, text)
    return replace(batch, metadata=text)


async def clear_metadata(tx: Tx, caller: Caller, name: str) -> Batch:
    """Removes the metadata of a batch. Returns the batch."""
    batch = await find(tx, caller.team_id, caller.mode, name)
    await batch_store.set_metadata(tx, batch, "{}")
    return replace(batch, metadata="{}")


# --------------------------------------------------------------------------------------------- states


async def finalize(tx: Tx, caller: Caller, name: str, now: int) -> Batch:
    """Opens a batch for work: a Studio batch joins the queue and accepts no more tasks.

    A Studio batch without pending tasks completes at once. Does nothing for a finalized batch, or one that is not a
    Studio batch.
    """
    found = await find(tx, caller.team_id, caller.mode, name)
    if not found.studio:
        return found
    batch = await lock(tx, caller.team_id, found.id)
    if batch.state == STAGING:
        await tx.lock(queue_lock(batch.team_id, batch.mode))
        calibration = batch.batch_type == "Calibration"
        place = batch_store.position_after_calibrations if calibration else batch_store.position_at_end
        await batch_store.finalize(tx, batch, await place(tx, batch.team_id, batch.mode), now)
    elif batch.state == IN_PROGRESS:
        await batch_store.mark_finalized(tx, batch, now)
    await complete_if_done(tx, batch, now)
    return await by_id(tx, batch.team_id, batch.id)


async def lock(tx: Tx, team_id: str, batch_id: str) -> Batch:
    """Returns the current batch, locked: nobody else can change it or add tasks until this transaction ends."""
    batch = await batch_store.lock(tx, team_id, batch_id)
    assert batch is not None, "batches are never deleted"
    return batch


async def open_for_tasks(tx: Tx, batch: Batch) -> Batch:
    """Returns the current batch, which is neither finalized nor completed until this transaction ends.

    Raises BadInput for a finalized Studio batch. Any other completed batch needs `reopen`.
    """
    held = await batch_store.hold(tx, batch)
    assert held is not None, "batches are never deleted"
    check_open(held)
    return held


def check_open(batch: Batch) -> None:
    """Raises BadInput for a finalized Studio batch."""
    if batch.studio and not batch.is_default and batch.state != STAGING:
        raise BadInput(f"batch {shown(batch.name)} is finalized, so it takes no more tasks")


async def complete(tx: Tx, batch: Batch, now: int) -> bool:
    """Completes a batch in progress and announces it. Returns whether it did. A Studio project's default batch stays
    open."""
    completed = await batch_store.complete(tx, batch, now)
    if completed is None:
        return False
    await tx.tell(BatchCompleted(completed, now))
    return True


async def complete_if_done(tx: Tx, batch: Batch, now: int) -> bool:
    """Completes a locked batch if it has no pending task. Returns whether it did."""
    if (await counts(tx, [batch.id]))[batch.id].pending > 0:
        return False
    return await complete(tx, batch, now)


async def reopen(tx: Tx, batch: Batch) -> Batch:
    """Reopens a completed batch outside Studio projects, because tasks are being added."""
    if batch.studio or batch.state != COMPLETED:
        return batch
    await batch_store.reopen(tx, batch)
    return replace(batch, state=IN_PROGRESS, completed_at=None)


# --------------------------------------------------------------------------------------------- counts


async def add_counts(
    tx: Tx, team_id: str, batch_id: str, *, pending: int = 0, completed: int = 0, canceled: int = 0
) -> None:
    """Changes the number of tasks in each state without locking a row that others need."""
    if pending or completed or canceled:
        await count_store.add(tx, team_id, batch_id, pending, completed, canceled)


async def counts(tx: Tx, batch_ids: Sequence[str]) -> dict[str, Counts]:
    """Returns the number of tasks in each state, by batch."""
    found = await count_store.of_batches(tx, batch_ids) if batch_ids else {}
    return {batch_id: found.get(batch_id, Counts()) for batch_id in batch_ids}


async def counts_of_team(tx: Tx, team_id: str, mode: Mode) -> Counts:
    """Returns the number of tasks in each state over all batches of the team in this mode."""
    return await count_store.of_team(tx, team_id, mode)


async def fold_counts(tx: Tx) -> int:
    """Adds up to 10,000 deltas to the counts. Returns how many. Several processes may call it at once."""
    deltas = await count_store.oldest_deltas(tx, FOLD_LIMIT)
    if deltas:
        await count_store.fold(tx, deltas)
    return len(deltas)
