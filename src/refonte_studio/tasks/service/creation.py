"""Creates tasks. Every task is created here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import msgspec

from refonte_studio.batches import service as batches
from refonte_studio.batches.model import STAGING, Batch
from refonte_studio.db import Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.errors import BadInput, Conflict, shown
from refonte_studio.kit.ids import new_id
from refonte_studio.kit.json_text import as_json
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import Project
from refonte_studio.tasks.model import Attempt, Draft, Kind, Task, TasksEnded, TaskSlots, TaskStatus
from refonte_studio.tasks.policy import creation as creation_policy
from refonte_studio.tasks.service.completion import settle
from refonte_studio.tasks.store import attempts as attempt_store
from refonte_studio.tasks.store import lists as list_store
from refonte_studio.tasks.store import task_slots as slot_store
from refonte_studio.tasks.store import tasks as task_store

_NONE: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PreparedCreation:
    """A large creation that was checked before its transaction, against the project as it was then."""

    project: Project | None  # None: a default project that did not exist yet
    draft: Draft
    responses: Mapping[str, str]  # its responses as JSON, by parameter name

    def draft_in(self, project: Project) -> Draft:
        """Returns the draft. Raises Conflict if the project's parameters have changed since the check."""
        before = self.project or replace(project, version=1)
        if (before.id, before.version) != (project.id, project.version):
            raise Conflict(f"project {shown(project.name)} was changed while the task was checked; try again")
        return self.draft


async def project_before(tx: Tx, caller: Caller, given: Mapping[str, Any]) -> Project | None:
    """Returns the project of a creation, or None if the default project does not exist yet. Changes nothing."""
    names = creation_policy.name_in(given, "project"), creation_policy.name_in(given, "batch")
    project = await resolve_project(tx, caller.team_id, caller.mode, *names)
    return project or await projects.present_default(tx, caller.team_id, caller.mode)


def prepare_creation(
    caller: Caller, type_name: str, given: Mapping[str, Any], project: Project | None, responses: Mapping[str, Any]
) -> PreparedCreation:
    """Checks a creation and its responses. Raises what `create_task` raises for bad parameters."""
    task_type = creation_policy.task_type(type_name)
    draft = creation_policy.drafted(task_type, given, project, caller.mode)
    params = msgspec.json.decode(draft.params)
    checked = {
        name: creation_policy.checked_response(task_type, params, name, response)
        for name, response in responses.items()
        if response is not None
    }
    return PreparedCreation(project, draft, checked)


async def create_task(
    tx: Tx,
    caller: Caller,
    type_name: str,
    given: Mapping[str, Any],
    now: int,
    *,
    kind: Kind = "work",
    ready: PreparedCreation | None = None,
) -> Task:
    """Creates a task from the given parameters; in test mode it is completed with a sample response at once.

    `ready` holds parameters that were checked before the transaction. Raises NotFound for an unknown type, BadInput for
    bad parameters, Conflict for a unique_id that is taken.
    """
    task_type = creation_policy.task_type(type_name)
    batch_name = creation_policy.name_in(given, "batch")
    project_name = creation_policy.name_in(given, "project")
    project = await project_named(tx, caller.team_id, caller.mode, project_name, batch_name, now)
    draft = (
        creation_policy.drafted(task_type, given, project, caller.mode) if ready is None else ready.draft_in(project)
    )
    batch = None
    if kind == "work" or (kind == "evaluation" and batch_name is not None):
        batch = await open_batch(tx, await batch_named(tx, project, batch_name, now))
    elif batch_name is not None:
        raise BadInput(f"a training task has no batch, so not {shown(batch_name)}")
    task = task_from(draft, new_id(now), project, batch.id if batch else None, kind, now)
    try:
        await task_store.insert_task(tx, task)
    except Duplicate as error:
        raise Conflict(f"there is a task with unique_id {shown(draft.unique_id)} already") from error
    await insert_slots(tx, project, batch, [task])
    await task_store.insert_tags(tx, [(task.team_id, tag, task.id) for tag in draft.tags])
    if batch is not None and kind == "work":
        await count_new(tx, batch, 1)
    if task.status is TaskStatus.COMPLETED:
        await tx.tell(TasksEnded.of([task], TaskStatus.COMPLETED, now))
        if batch is not None:
            await settle(tx, task.team_id, batch.id, now)
    return task


async def copy_task(tx: Tx, source: Task, kind: Kind, now: int) -> Task:
    """Creates a training or evaluation task with the parameters of another task, without a batch."""
    project = await projects.hold(tx, await projects.by_id(tx, source.team_id, source.project_id))
    projects.check_takes_tasks(project)
    is_test = source.mode == "test"
    task = replace(
        source,
        id=new_id(now),
        batch_id=None,
        kind=kind,
        status=TaskStatus.COMPLETED if is_test else TaskStatus.PENDING,
        response=source.response if is_test else None,
        tags=None,
        unique_id=None,
        callback_url=None,
        review_status=None,
        created_at=now,
        updated_at=now,
        completed_at=now if is_test else None,
    )
    await task_store.insert_task(tx, task)
    await insert_slots(tx, project, None, [task])
    return task


async def project_named(
    tx: Tx, team_id: str, mode: Mode, name: str | None, batch_name: str | None, now: int
) -> Project:
    """Returns the project with this name, else the batch's, else the default project; locks its pipeline until this
    transaction ends."""
    project = await resolve_project(tx, team_id, mode, name, batch_name)
    if project is None:
        project = await projects.default_project(tx, team_id, mode, now)
    held = await projects.hold(tx, project)
    projects.check_takes_tasks(held)
    return held


async def resolve_project(tx: Tx, team_id: str, mode: Mode, name: str | None, batch_name: str | None) -> Project | None:
    """Returns the project with this name, else the project of the batch; None if neither is named."""
    if name is not None:
        return await projects.find_in_body(tx, team_id, mode, name)
    if batch_name is None:
        return None
    batch = await batches.find_in_body(tx, team_id, mode, batch_name)
    return await projects.by_id(tx, team_id, batch.project_id)


async def batch_named(tx: Tx, project: Project, name: str | None, now: int) -> Batch:
    """Returns the project's batch with this name, or its default batch. Raises BadInput if there is none."""
    if name is None:
        return await batches.default_batch(tx, project, now)
    batch = await batches.find_in_body(tx, project.team_id, project.mode, name)
    check_batch(batch, project)
    return batch


def check_batch(batch: Batch, project: Project | None) -> None:
    """Raises BadInput unless the batch belongs to the project (None: a default project that does not exist yet)."""
    if project is None or batch.project_id != project.id:
        whose = shown(project.name) if project else "by default"
        raise BadInput(f"batch {shown(batch.name)} is not a batch of project {whose}")


async def open_batch(tx: Tx, batch: Batch) -> Batch:
    """Returns the batch and keeps it open for tasks until this transaction ends. Raises BadInput if it is closed."""
    if batch.mode == "test":
        # its tasks complete in this transaction, and `settle` needs this lock: two shared locks would deadlock
        await batches.lock(tx, batch.team_id, batch.id)
    return await batches.open_for_tasks(tx, batch)


async def count_new(tx: Tx, batch: Batch, count: int) -> None:
    """Adds new tasks to the counts of their batch and reopens the batch if it was completed."""
    if batch.mode == "test":
        await batches.add_counts(tx, batch.team_id, batch.id, completed=count)
    else:
        await batches.add_counts(tx, batch.team_id, batch.id, pending=count)
    await batches.reopen(tx, batch)


async def insert_slots(
    tx: Tx, project: Project, batch: Batch | None, tasks: Sequence[Task], made: Mapping[str, int] = _NONE
) -> None:
    """Inserts the slots of new pending tasks of one batch; `made` is the number of attempts they have, by task id."""
    wanted = project.attempts_wanted
    pending = [task for task in tasks if task.status is TaskStatus.PENDING]
    # the commit number makes dispatch cursors return to these tasks, whose ids may be older than what was passed
    opened = await slot_store.present_stamp(tx) if pending and batch is not None and batch.state != STAGING else None
    slots = [_slots_row(task, wanted, made.get(task.id, 0)) for task in pending]
    if slots:
        await slot_store.insert(tx, project.team_id, slots, opened)


def _slots_row(task: Task, wanted: int, attempts: int) -> TaskSlots:
    # a quality task has no open slots: dispatch hands it to each person who is due
    return TaskSlots(task.slots_in, task.id, wanted, attempts, wanted - attempts if task.kind == "work" else 0)


def task_from(draft: Draft, task_id: str, project: Project, batch_id: str | None, kind: Kind, now: int) -> Task:
    """Builds the task of a draft: pending, or completed in test mode."""
    completed = draft.response is not None
    return Task(
        id=task_id,
        team_id=project.team_id,
        mode=project.mode,
        project_id=project.id,
        batch_id=batch_id,
        kind=kind,
        type=draft.type,
        status=TaskStatus.COMPLETED if completed else TaskStatus.PENDING,
        params=draft.params,
        metadata=draft.metadata,
        tags=as_json("tags", draft.tags) if draft.tags else None,
        unique_id=draft.unique_id,
        callback_url=draft.callback_url,
        response=draft.response,
        review_status=None,
        project_version=project.version,
        created_at=now,
        updated_at=now,
        completed_at=now if completed else None,
    )


async def taken_unique_ids(tx: Tx, caller: Caller, unique_ids: Sequence[str]) -> set[str]:
    """Returns those of the unique_ids that a task of the caller's team already has."""
    return await list_store.taken(tx, caller.team_id, caller.mode, unique_ids) if unique_ids else set()


async def insert_tasks(tx: Tx, tasks: Sequence[Task], tags: Sequence[Sequence[str]]) -> None:
    """Inserts tasks and their tags. The caller inserts the task slots and updates the counts."""
    await task_store.insert_tasks(tx, tasks)
    await task_store.insert_tags(
        tx, [(task.team_id, tag, task.id) for task, own in zip(tasks, tags, strict=True) for tag in own]
    )


async def insert_imported_attempts(tx: Tx, tasks: Mapping[str, Task], attempts: Sequence[Attempt], wanted: int) -> None:
    """Inserts external attempts. `tasks` are their tasks, by id."""
    await attempt_store.insert_imported(tx, tasks, attempts, wanted)
