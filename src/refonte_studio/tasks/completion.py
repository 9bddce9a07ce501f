"""How tasks end: by their last attempt, by a manager's word, by a change of pipeline."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from refonte_studio.batches import service as batches
from refonte_studio.db import Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.kit.errors import Conflict
from refonte_studio.projects.model import Project
from refonte_studio.tasks import policy, store_attempts, store_places
from refonte_studio.tasks.model import Attempt, Place, Status, Task, TasksEnded

# Hardly can so many tasks of one batch end in transactions that run at the same time. Should a transaction stand still
# in its middle while others end more than that, `settle_late` comes after it.
AT_ONCE = 128
LATE_LIMIT = 100
CHUNK = 500


async def settle(tx: Tx, team_id: str, batch_id: str, now: int) -> None:
    """Completes the batch if none of its tasks is pending any more.

    To be called last in a transaction that ended tasks: it may lock the batch, and tasks are locked before batches.
    """
    others = AT_ONCE if tx.engine == "postgresql" else 0  # SQLite has one writer
    if await store_places.pending_in_batch(tx, team_id, batch_id, others + 1) > others:
        return
    # Two transactions may end the last two tasks at once, neither seeing what the other did. With the lock, the
    # second one waits for the first one's commit, and then sees it.
    batch = await batches.lock(tx, team_id, batch_id)
    if not await store_places.pending_in_batch(tx, team_id, batch_id, 1):
        await batches.complete(tx, batch, now)


async def settle_late(tx: Tx, now: int) -> int:
    """Completes up to 100 batches in progress whose tasks have all ended; answers how many."""
    late = await store_places.batches_without(tx, LATE_LIMIT)
    for team_id, batch_id in late:
        await settle(tx, team_id, batch_id, now)
    return len(late)


async def record_attempt(
    tx: Tx, task: Task, place: Place, attempt_id: str, teammate_id: str, response: str, started_at: int, now: int
) -> tuple[int, int]:
    """Records a checked response (JSON) to a pending task whose places are locked; the one that makes enough completes
    it. Answers the attempt's number, and how many are wanted.

    Raises Conflict if this person has attempted the task before. The place that they held is not given back.
    """
    number, wanted = place.attempts + 1, place.wanted
    try:
        await store_attempts.insert_attempt(
            tx,
            id=attempt_id,
            team_id=task.team_id,
            mode=task.mode,
            task_id=task.id,
            project_id=task.project_id,
            batch_id=task.batch_id,
            teammate_id=teammate_id,
            number=number,
            wanted=wanted,
            response=response,
            started_at=started_at,
            submitted_at=now,
        )
    except Duplicate as error:
        raise Conflict(f"you have attempted task {task.id} before") from error
    if task.kind != "work" or number < wanted:
        await store_places.count_attempt(tx, task.team_id, place)
        return number, wanted
    if number > 1:
        await _complete(tx, [task], now)
    else:
        held = wanted - place.open > 1  # by others, which a change of pipeline may have left
        await store_attempts.complete(tx, task.team_id, task.id, response, now)
        await _ended(tx, [task], now, held=held)
    await settle(tx, task.team_id, place.batch_id, now)
    return number, wanted


async def complete_enough(tx: Tx, tasks: Sequence[Task], now: int) -> None:
    """Completes locked, pending tasks that have enough attempts. Does not settle their batches."""
    await _complete(tx, tasks, now)


async def _complete(tx: Tx, tasks: Sequence[Task], now: int) -> None:
    """Completes locked, pending tasks with what their attempts give. Does not settle their batches."""
    if not tasks:
        return
    attempts = await store_attempts.attempts_of(tx, tasks[0].team_id, [task.id for task in tasks])
    for task in tasks:
        await store_attempts.complete(tx, task.team_id, task.id, _combined(task, attempts[task.id]), now)
    await _ended(tx, tasks, now)


def _combined(task: Task, attempts: Sequence[Attempt]) -> str:
    if len(attempts) == 1:
        return attempts[0].response
    responses = [msgspec.json.decode(attempt.response) for attempt in attempts]
    return combined(task.type, msgspec.json.decode(task.params), responses)


def combined(type_name: str, params: dict[str, Any], responses: Sequence[dict[str, Any]]) -> str:
    """One response (JSON) from those of several attempts, in their order."""
    return policy.as_json("response", policy.task_type(type_name).combine(params, responses))


async def _ended(tx: Tx, tasks: Sequence[Task], now: int, *, held: bool = True) -> None:
    """Takes the places of completed tasks away, counts them, and tells of it."""
    by_batch: dict[str, list[str]] = {}
    for task in tasks:
        by_batch.setdefault(task.places_in, []).append(task.id)
    for batch_id, ids in sorted(by_batch.items()):
        await store_places.end(tx, tasks[0].team_id, batch_id, ids)
        await batches.add_counts(tx, tasks[0].team_id, batch_id, pending=-len(ids), completed=len(ids))
    await tx.tell(TasksEnded.of(tasks, Status.COMPLETED, now, held=held))


async def complete_attempted(tx: Tx, team_id: str, batch_ids: Sequence[str], now: int) -> dict[str, int]:
    """Completes every pending task of these batches that has an attempt; answers how many, by batch."""
    completed = dict.fromkeys(batch_ids, 0)
    for batch_id in sorted(completed):
        after = ""
        while tasks := await store_places.lock_attempted(tx, team_id, batch_id, after, CHUNK):
            await _complete(tx, tasks, now)
            completed[batch_id] += len(tasks)
            after = tasks[-1].id
    for batch_id in sorted(completed):
        if completed[batch_id]:
            await settle(tx, team_id, batch_id, now)
    return completed


async def retarget(tx: Tx, project: Project, now: int) -> int:
    """Makes the pending tasks of a project follow its pipeline; answers how many completed, having enough attempts."""
    await store_places.set_wanted_of_quality(tx, project.team_id, project.id, project.attempts_wanted)
    completed: Counter[str] = Counter()
    for batch in await batches.of_project(tx, project):  # in the order of their ids, as everywhere
        completed[batch.id] = await _retarget_batch(tx, project, batch.id, now)
    for batch_id in sorted(+completed):
        await settle(tx, project.team_id, batch_id, now)
    return completed.total()


async def _retarget_batch(tx: Tx, project: Project, batch_id: str, now: int) -> int:
    after, wanted, completed = "", project.attempts_wanted, 0
    while found := await store_places.lock_to_retarget(tx, project.team_id, batch_id, wanted, after, CHUNK):
        await store_places.set_wanted(tx, project.team_id, batch_id, [task.id for task, _ in found], wanted)
        enough = [task for task, attempts in found if attempts >= wanted]
        await _complete(tx, enough, now)
        completed += len(enough)
        after = found[-1][0].id
    return completed
