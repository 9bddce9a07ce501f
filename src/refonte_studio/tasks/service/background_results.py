"""Use-cases of results that are made in the background, since they cost too much where the last attempt is recorded.

`estimator` makes them in a process of its own. What is due stands in the database, so that it survives the end of any
process; of several that take it on at once, one gets it.
"""

from collections.abc import Sequence

import msgspec

from refonte_studio.aggregation import service as aggregation
from refonte_studio.aggregation.model import Result, StoredModels
from refonte_studio.db import Tx
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

LEASE_MS = 6_000  # after which a process that has not renewed it counts as gone
RENEW_S = 2.0
TASKS_LIMIT = 100  # taken on at once
RETRY_MS = 1_000  # after the first failure, twice as long after each further one,
RETRY_MOST_MS = 3_600_000  # up to an hour


class ResultsJob(msgspec.Struct, frozen=True, tag=True):
    """Results of a project's tasks to be made."""

    team_id: str
    mode: Mode
    project_id: str
    taken_by: str  # of this try
    task_ids: Sequence[str]


class BackgroundResult(msgspec.Struct, frozen=True, tag=True):
    """The result of one of them; None if it is not wanted any more."""

    task_id: str
    result: Result | None


async def is_due(tx: Tx, now: int) -> bool:
    """Whether any result is to be made. Changes nothing."""
    return await background_store.next_due(tx, now, "") is not None


async def take_next(tx: Tx, not_first: str, now: int) -> ResultsJob | None:
    """Takes on results that are due, of one project; None if there are none. A team that had its turn just now is
    `not_first`, so that none waits for all of another one's."""
    row = await background_store.next_due(tx, now, not_first)
    if row is None:
        return None
    taken_by = new_id(now)
    taken = await background_store.take(
        tx, row["team_id"], row["project_id"], taken_by, now, now + LEASE_MS, TASKS_LIMIT
    )
    if not taken:  # another process was faster
        return None
    return ResultsJob(row["team_id"], row["mode"], row["project_id"], taken_by, [each["task_id"] for each in taken])


async def given(tx: Tx, job: ResultsJob, task_id: str) -> tuple[Task, list[Attempt], StoredModels] | None:
    """What a result is made of; None for a task that is not pending any more."""
    task = await task_store.task(tx, job.team_id, job.mode, task_id)
    attempts = (await attempt_store.attempts_of(tx, job.team_id, [task_id])).get(task_id)
    if task is None or task.status is not TaskStatus.PENDING or not attempts:
        return None
    people = {attempt.teammate_id for attempt in attempts}
    return task, attempts, await aggregation.stored_models(tx, job.team_id, job.project_id, people)


async def renew(tx: Tx, job: ResultsJob, now: int) -> None:
    """The job is still under way."""
    await background_store.renew(tx, job.team_id, job.taken_by, now + LEASE_MS)


async def keep(tx: Tx, job: ResultsJob, made: BackgroundResult, now: int) -> None:
    """Gives a task its result, and does what follows from it, unless this has been done or the task has ended."""
    found = await slot_store.lock_pending(tx, job.team_id, job.mode, made.task_id)
    if found is None or not found[1].judging or made.result is None:
        return
    forced = await background_store.done(tx, job.team_id, job.taken_by, made.task_id, now)
    if forced is not None:
        await conclude_postponed(tx, *found, made.result, forced, now)


async def put_off(tx: Tx, job: ResultsJob, failed: str | None, left: Sequence[str], now: int) -> None:
    """Gives back what was not made. The result that `failed` is tried again after a pause, the others at once."""
    for task_id in left:
        if task_id != failed:
            await background_store.put_off(tx, job.team_id, job.taken_by, task_id, 0, now)
    if failed is not None:
        tries = await background_store.tries(tx, job.team_id, job.taken_by, failed)
        pause_ms = min(RETRY_MS * 2 ** min(tries, 20), RETRY_MOST_MS)
        await background_store.put_off(tx, job.team_id, job.taken_by, failed, 1, now + pause_ms)
