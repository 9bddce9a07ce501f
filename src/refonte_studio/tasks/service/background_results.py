"""Use-cases of results that are computed in the background because they are too costly for the submitting request.

A separate process computes them. The queue is in the database, so that it survives the end of any process; a lease
ensures that only one process computes a result at a time.
"""

from collections.abc import Sequence

import msgspec

from refonte_studio.aggregation import service as aggregation
from refonte_studio.aggregation.model import Result, StoredModels
from refonte_studio.db import Tx
from refonte_studio.kit.backoff import doubling
from refonte_studio.kit.caller import Mode
from refonte_studio.kit.ids import new_id
from refonte_studio.tasks.model import Attempt, Task, TaskStatus
from refonte_studio.tasks.service.completion import conclude_postponed
from refonte_studio.tasks.store import (
    attempts as attempt_store,
)
from refonte_studio.tasks.store import (
    background_results as background_store,
)
from refonte_studio.tasks.store import (
    task_slots as slot_store,
)
from refonte_studio.tasks.store import (
    tasks as task_store,
)

LEASE_MS = 6_000  # after which a process that has not renewed its lease counts as dead
RENEW_S = 2.0
TASKS_LIMIT = 100  # results leased at once
RETRY_MS = 1_000  # the pause after the first failure; it doubles with each further one
RETRY_MOST_MS = 3_600_000  # the longest pause


class ResultsJob(msgspec.Struct, frozen=True, tag=True):
    """A request to compute the results of some tasks of a project."""

    team_id: str
    mode: Mode
    project_id: str
    taken_by: str  # the id of this lease
    task_ids: Sequence[str]


class BackgroundResult(msgspec.Struct, frozen=True, tag=True):
    """The result of one of the tasks; None if the task has ended in the meantime."""

    task_id: str
    result: Result | None


async def is_due(tx: Tx, now: int) -> bool:
    """Returns whether a result is due. Changes nothing."""
    return await background_store.next_due(tx, now, "") is not None


async def take_next(tx: Tx, not_first: str, now: int) -> ResultsJob | None:
    """Leases due results of one project; returns None if there are none.

    `not_first` is the team that was served last; other teams come before it, so that none waits for all its results.
    """
    due = await background_store.next_due(tx, now, not_first)
    if due is None:
        return None
    team_id, mode, project_id = due
    taken_by = new_id(now)
    taken = await background_store.take(tx, team_id, project_id, taken_by, now, now + LEASE_MS, TASKS_LIMIT)
    if not taken:  # another process was faster
        return None
    return ResultsJob(team_id, mode, project_id, taken_by, taken)


async def given(tx: Tx, job: ResultsJob, task_id: str) -> tuple[Task, list[Attempt], StoredModels] | None:
    """Returns a task, its attempts and the models of their labelers; None if the task is no longer pending."""
    task = await task_store.task(tx, job.team_id, job.mode, task_id)
    attempts = (await attempt_store.attempts_of(tx, job.team_id, [task_id])).get(task_id)
    if task is None or task.status is not TaskStatus.PENDING or not attempts:
        return None
    people = {attempt.teammate_id for attempt in attempts}
    return task, attempts, await aggregation.stored_models(tx, job.team_id, job.project_id, people)


async def renew(tx: Tx, job: ResultsJob, now: int) -> None:
    """Extends the lease of the job."""
    await background_store.renew(tx, job.team_id, job.taken_by, now + LEASE_MS)


async def keep(tx: Tx, job: ResultsJob, made: BackgroundResult, now: int) -> None:
    """Stores a computed result and takes the next step of its task, unless the task has ended or the lease is lost."""
    found = await slot_store.lock_pending(tx, job.team_id, job.mode, made.task_id)
    if found is None or not found[1].judging or made.result is None:
        return
    forced = await background_store.done(tx, job.team_id, job.taken_by, made.task_id, now)
    if forced is not None:
        await conclude_postponed(tx, *found, made.result, forced, now)


async def put_off(tx: Tx, job: ResultsJob, failed: str | None, left: Sequence[str], now: int) -> None:
    """Returns unfinished results to the queue. The one that `failed` is retried after a pause, the others at once."""
    for task_id in left:
        if task_id != failed:
            await background_store.put_off(tx, job.team_id, job.taken_by, task_id, 0, now)
    if failed is not None:
        tries = await background_store.tries(tx, job.team_id, job.taken_by, failed)
        pause_ms = int(doubling(RETRY_MS, tries, RETRY_MOST_MS))
        await background_store.put_off(tx, job.team_id, job.taken_by, failed, 1, now + pause_ms)
