"""Use-cases of a manager on one task: cancel, audit, callback, unique_id, metadata, tags."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from refonte_studio.aggregation import service as aggregation
from refonte_studio.aggregation.model import StoredModels
from refonte_studio.batches import service as batches
from refonte_studio.db import Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.errors import BadInput, Conflict, NotFound, shown
from refonte_studio.kit.ids import new_id
from refonte_studio.kit.json_text import as_json
from refonte_studio.kit.texts import plain_text
from refonte_studio.tasks.model import (
    CallbackAsked,
    CheckContext,
    CheckedResponse,
    ReviewStatus,
    Task,
    TaskAudited,
    TasksEnded,
    TaskSlots,
    TaskStatus,
)
from refonte_studio.tasks.policy import creation as creation_policy
from refonte_studio.tasks.service.completion import settle
from refonte_studio.tasks.store import (
    background_results as background_store,
)
from refonte_studio.tasks.store import (
    task_slots as slot_store,
)
from refonte_studio.tasks.store import (
    tasks as task_store,
)


async def find(tx: Tx, team_id: str, mode: Mode, task_id: str) -> Task:
    """Returns the task. Raises NotFound if this team has no such task in this mode."""
    task = await task_store.task(tx, team_id, mode, task_id)
    if task is None:
        raise NotFound(f"there is no task {shown(task_id)}")
    return task


async def lock_pending(tx: Tx, team_id: str, mode: Mode, task_id: str) -> tuple[Task, TaskSlots] | None:
    """Returns a pending task and its slots, locked until this transaction ends; None if the task has ended."""
    return await slot_store.lock_pending(tx, team_id, mode, task_id)


async def to_check(tx: Tx, caller: Caller, task_id: str) -> CheckContext:
    """Returns what this person's response to a task is checked against. Raises NotFound.

    A result is computed for a training or evaluation task too, although it is discarded, so that the check takes as
    long as for a task for work.
    """
    task = await find(tx, caller.team_id, caller.mode, task_id)
    alone: StoredModels | None = None
    if await slot_store.wants_one(tx, task.team_id, task.slots_in, task.id, again=task.kind != "work"):
        alone = await aggregation.stored_models(tx, task.team_id, task.project_id, [caller.teammate_id])
    return CheckContext(task_id=task.id, type=task.type, params=task.params, person=caller.teammate_id, alone=alone)


async def lock(tx: Tx, team_id: str, mode: Mode, task_id: str) -> Task:
    """Returns the task and locks it until this transaction ends. Raises NotFound."""
    task = await task_store.lock_task(tx, team_id, mode, task_id)
    if task is None:
        raise NotFound(f"there is no task {shown(task_id)}")
    return task


async def cancel(tx: Tx, caller: Caller, task_id: str, clear_unique_id: bool, now: int) -> Task:
    """Cancels a pending task; a canceled task stays as it is. Raises BadInput if it is completed."""
    task = await find(tx, caller.team_id, caller.mode, task_id)
    await slot_store.lock(tx, task.team_id, task.slots_in, task.id)
    if not await task_store.cancel(tx, task.team_id, task.id, clear_unique_id, now):
        return await _canceled_before(tx, await find(tx, caller.team_id, caller.mode, task_id), clear_unique_id, now)
    await slot_store.end(tx, task.team_id, task.slots_in, [task.id])
    await background_store.end(tx, task.team_id, task.id, now)
    if task.kind == "work" and task.batch_id is not None:
        await batches.add_counts(tx, task.team_id, task.batch_id, pending=-1, canceled=1)
    await tx.tell(TasksEnded.of([task], TaskStatus.CANCELED, now))
    if task.kind == "work" and task.batch_id is not None:
        await settle(tx, task.team_id, task.batch_id, now)
    return await find(tx, task.team_id, task.mode, task.id)


async def _canceled_before(tx: Tx, task: Task, clear_unique_id: bool, now: int) -> Task:
    if task.status is not TaskStatus.CANCELED:
        raise BadInput(f"task {task.id} is {task.status} already, so it cannot be canceled")
    if clear_unique_id and task.unique_id is not None:
        await task_store.set_unique_id(tx, task.team_id, task.id, None, now)
    return await find(tx, task.team_id, task.mode, task.id)


async def audit(
    tx: Tx,
    caller: Caller,
    task_id: str,
    accepted: bool,
    comments: str | None,
    response: Mapping[str, Any] | CheckedResponse | None,
    now: int,
) -> Task:
    """Accepts, rejects, or (with a response) fixes a completed task.

    Raises BadInput if the task is not completed, if the caller has attempted or reviewed it, or if the response does
    not fit it.
    """
    task = await lock(tx, caller.team_id, caller.mode, task_id)
    if task.status is not TaskStatus.COMPLETED:
        raise BadInput(f"task {task.id} is {task.status}; only a completed task can be audited")
    part = await task_store.part_in(tx, task.team_id, task.id, caller.teammate_id)
    if part is not None:
        raise BadInput(f"you have {part} task {task.id}, so somebody else has to audit it")
    if comments:
        plain_text("comments", comments, creation_policy.COMMENT_LENGTH)
    await task_store.insert_audit(
        tx,
        id=new_id(now),
        team_id=task.team_id,
        task_id=task.id,
        teammate_id=caller.teammate_id,
        accepted=accepted,
        comments=comments or None,
        created_at=now,
    )
    if response is not None:
        await _fix(tx, task, response)
    review = (
        ReviewStatus.FIXED if response is not None else ReviewStatus.ACCEPTED if accepted else ReviewStatus.REJECTED
    )
    await task_store.set_review(tx, task.team_id, task.id, review.value, review is not ReviewStatus.REJECTED, now)
    await aggregation.refit_when_due(tx, task.team_id, task.project_id)  # the audit improves the models
    await tx.tell(TaskAudited(task, now))
    return await find(tx, task.team_id, task.mode, task.id)


async def send_callback(tx: Tx, caller: Caller, task_id: str, now: int) -> Task:
    """Requests that the task's callback is sent again. Raises BadInput if it is pending or has no callback_url."""
    task = await find(tx, caller.team_id, caller.mode, task_id)
    if task.callback_url is None:
        raise BadInput(f"task {task.id} has no callback_url, so there is nobody to send its callback to")
    if task.status is TaskStatus.PENDING:
        raise BadInput(f"task {task.id} is pending; its callback is sent when it ends")
    await tx.tell(CallbackAsked(task, now))
    return task


async def set_callback_succeeded(tx: Tx, team_id: str, task_id: str, succeeded: bool) -> None:
    """Stores whether a task's callback was delivered. This does not change `updated_at`."""
    await task_store.set_callback_succeeded(tx, team_id, task_id, succeeded)


async def _fix(tx: Tx, task: Task, response: Mapping[str, Any] | CheckedResponse) -> None:
    """Replaces the response of a completed task."""
    if isinstance(response, CheckedResponse):
        assert response.task_id == task.id, "it was checked for this task"
        text = response.response
    else:
        checked = creation_policy.task_type(task.type).check_response(msgspec.json.decode(task.params), response)
        text = as_json("response", checked)
    if text != task.response:
        await task_store.set_response(tx, task.team_id, task.id, text)


async def set_unique_id(tx: Tx, caller: Caller, task_id: str, unique_id: str | None, now: int) -> Task:
    """Sets or (with None) clears the task's unique_id. Raises Conflict if another task has it."""
    task = await find(tx, caller.team_id, caller.mode, task_id)
    if unique_id is not None:
        creation_policy.checked_unique_id(unique_id)
    try:
        await task_store.set_unique_id(tx, task.team_id, task.id, unique_id, now)
    except Duplicate as error:
        raise Conflict(f"there is a task with unique_id {shown(unique_id)} already") from error
    return await find(tx, task.team_id, task.mode, task.id)


async def set_metadata(tx: Tx, caller: Caller, task_id: str, metadata: Mapping[str, Any], now: int) -> Task:
    """Replaces the task's metadata. Raises BadInput if that would clear it."""
    task = await find(tx, caller.team_id, caller.mode, task_id)
    batches.check_not_emptied(metadata, task.metadata)
    await task_store.set_metadata(tx, task.team_id, task.id, as_json("metadata", metadata), now)
    return await find(tx, task.team_id, task.mode, task.id)


async def clear_metadata(tx: Tx, caller: Caller, task_id: str, now: int) -> Task:
    """Clears the task's metadata."""
    task = await find(tx, caller.team_id, caller.mode, task_id)
    await task_store.set_metadata(tx, task.team_id, task.id, "{}", now)
    return await find(tx, task.team_id, task.mode, task.id)


async def set_tags(tx: Tx, caller: Caller, task_id: str, tags: Sequence[str], now: int) -> Task:
    """Replaces the task's tags."""
    return await _retag(
        tx, await lock(tx, caller.team_id, caller.mode, task_id), creation_policy.bounded_tags(tags), now
    )


async def add_tags(tx: Tx, caller: Caller, task_id: str, tags: Sequence[str], now: int) -> Task:
    """Adds tags; ignores tags that the task already has."""
    task = await lock(tx, caller.team_id, caller.mode, task_id)
    return await _retag(tx, task, creation_policy.bounded_tags([*_tags_of(task), *tags]), now)


async def remove_tags(tx: Tx, caller: Caller, task_id: str, tags: Sequence[str], now: int) -> Task:
    """Removes tags; ignores tags that the task does not have."""
    task = await lock(tx, caller.team_id, caller.mode, task_id)
    return await _retag(tx, task, [tag for tag in _tags_of(task) if tag not in tags], now)


def _tags_of(task: Task) -> list[str]:
    return msgspec.json.decode(task.tags, type=list[str]) if task.tags else []


async def _retag(tx: Tx, task: Task, tags: Sequence[str], now: int) -> Task:
    tags_json = as_json("tags", tags) if tags else None
    await task_store.set_tags(tx, task.team_id, task.id, tags, tags_json, now)
    return await find(tx, task.team_id, task.mode, task.id)
