"""Completes tasks: by their last attempt, by a manager's request, or by a change of the pipeline."""

from collections import Counter
from collections.abc import Mapping, Sequence

from refonte_studio.aggregation import service as aggregation
from refonte_studio.aggregation.model import Result
from refonte_studio.batches import service as batches
from refonte_studio.db import Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.kit.errors import Conflict
from refonte_studio.projects.model import Project
from refonte_studio.tasks.model import (
    CompletionRules,
    NewAttempt,
    RecordedAttempt,
    ResultsDue,
    ReviewDue,
    ReviewReason,
    Step,
    Task,
    TasksEnded,
    TaskSlots,
    TaskStatus,
)
from refonte_studio.tasks.policy import creation as creation_policy
from refonte_studio.tasks.service import aggregating
from refonte_studio.tasks.store import (
    attempts as attempt_store,
)
from refonte_studio.tasks.store import (
    background_results as background_store,
)
from refonte_studio.tasks.store import (
    task_slots as slot_store,
)

# Upper bound on tasks of one batch that finish concurrently. If a transaction stalls while others finish more than
# that, `settle_late` completes the batch.
AT_ONCE = 128
LATE_LIMIT = 100
CHUNK = 500


async def settle(tx: Tx, team_id: str, batch_id: str, now: int) -> None:
    """Completes the batch if none of its tasks is pending any more.

    Call it last in a transaction that ends tasks: it may lock the batch, and tasks are locked before batches.
    """
    others = AT_ONCE if tx.engine == "postgresql" else 0  # SQLite has one writer
    if await slot_store.pending_in_batch(tx, team_id, batch_id, others + 1) > others:
        return
    # Two transactions may end the last two tasks concurrently without seeing each other. With the lock, the second
    # waits for the commit of the first and then sees it.
    batch = await batches.lock(tx, team_id, batch_id)
    if not await slot_store.pending_in_batch(tx, team_id, batch_id, 1):
        await batches.complete(tx, batch, now)


async def settle_late(tx: Tx, now: int) -> int:
    """Completes up to 100 batches in progress whose tasks have all ended; returns their number."""
    late = await slot_store.batches_without(tx, LATE_LIMIT)
    for team_id, batch_id in late:
        await settle(tx, team_id, batch_id, now)
    return len(late)


async def record_attempt(tx: Tx, task: Task, slots: TaskSlots, attempt: NewAttempt, now: int) -> RecordedAttempt:
    """Records a checked response to a pending task whose slots are locked.

    The last wanted attempt completes the task, unless one more attempt or a review is needed. Raises Conflict if this
    person has attempted the task before. The slot that they held is not reopened.
    """
    recorded = creation_policy.recorded(task, slots)
    try:
        await attempt_store.insert_attempt(
            tx,
            id=attempt.id,
            team_id=task.team_id,
            mode=task.mode,
            task_id=task.id,
            project_id=task.project_id,
            batch_id=task.batch_id,
            teammate_id=attempt.teammate_id,
            number=recorded.number,
            wanted=recorded.wanted,
            response=attempt.response,
            started_at=attempt.started_at,
            submitted_at=now,
        )
    except Duplicate as error:
        raise Conflict(f"you have attempted task {task.id} before") from error
    if task.kind != "work" or slots.attempts + 1 < slots.wanted:
        await slot_store.count_attempt(tx, task.team_id, slots)
        return recorded
    await decide_next_step(tx, task, slots, now, result=attempt.result)
    return recorded


async def decide_next_step(
    tx: Tx, task: Task, slots: TaskSlots, now: int, *, asked: bool = True, result: Result | None = None
) -> None:
    """Takes the next step of a task that has all requested attempts, or is clear before that. Its slots must be locked.

    `asked` says that an attempt has just been recorded; only then is one more requested if needed. `result` is the
    result of a single attempt, if it was computed with the check of the response; any other is computed here, or in the
    background if that is costly.
    """
    count = 1
    if result is None or slots.attempts:
        attempts = await attempt_store.attempts_of(tx, task.team_id, [task.id])
        made, costly = await aggregating.results(tx, [task], attempts)
        count = len(attempts[task.id])
        if costly:
            await _postpone(tx, [task], {task.id: count}, False, now)
            return
        result = made[task.id]
    step, reason = creation_policy.next_step(slots.rules, count, result.confidence)
    if step is Step.ASK:
        if asked:
            await slot_store.ask_one_more(tx, task.team_id, slots)
    elif reason is not None:
        await _review(tx, task, count, result, reason, now)
    else:
        # If no slot was open or held besides this attempt's, nobody else can hold the task.
        held = slots.wanted - slots.open > 1
        await _complete(tx, task, slots, result, now, held=held)


async def _complete(tx: Tx, task: Task, slots: TaskSlots, result: Result, now: int, *, held: bool) -> None:
    await attempt_store.complete(tx, task.team_id, task.id, result, now)
    await _ended(tx, [task], now, held=held)
    await settle(tx, task.team_id, slots.batch_id, now)


async def _postpone(tx: Tx, tasks: Sequence[Task], attempts: Mapping[str, int], forced: bool, now: int) -> None:
    """Queues the results of locked tasks for the background and closes the tasks for work; `attempts` are their counts
    by task id."""
    by_batch: dict[str, dict[str, int]] = {}
    for task in tasks:
        by_batch.setdefault(task.slots_in, {})[task.id] = attempts[task.id]
    for batch_id, counts in sorted(by_batch.items()):
        await slot_store.hold_for_result(tx, tasks[0].team_id, batch_id, counts)
    await background_store.insert(tx, tasks, forced, now)
    await tx.tell(ResultsDue(tasks[0].team_id, tuple(task.id for task in tasks), forced, now))


async def conclude_postponed(tx: Tx, task: Task, slots: TaskSlots, result: Result, forced: bool, now: int) -> None:
    """Takes the next step of a task whose result was computed in the background. Its slots must be locked."""
    await slot_store.end_judging(tx, task.team_id, slots.batch_id, task.id)
    step, reason = creation_policy.next_step(slots.rules, slots.attempts, result.confidence)
    if step is Step.ASK and not forced:
        await slot_store.ask_for(tx, task.team_id, slots.batch_id, task.id, slots.attempts + 1)
    elif reason is not None and not forced:
        await _review(tx, task, slots.attempts, result, reason, now)
    else:
        await _complete(tx, task, slots, result, now, held=False)


async def _review(tx: Tx, task: Task, attempts: int, result: Result, reason: ReviewReason, now: int) -> None:
    """Sends a locked task to review."""
    await slot_store.hold_for_review(tx, task.team_id, task.slots_in, task.id, attempts)
    await attempt_store.note_result(tx, task.team_id, task.id, result)
    await tx.tell(
        ReviewDue(
            task.team_id,
            task.mode,
            task.project_id,
            task.batch_id,
            task.id,
            result.response,
            result.confidence,
            reason,
            now,
        )
    )


async def complete_reviewed(tx: Tx, task: Task, response: str, now: int) -> None:
    """Completes a task under review with the response (JSON) of a reviewer. Its slots must be locked."""
    await attempt_store.complete_reviewed(tx, task.team_id, task.id, response, now)
    await aggregation.refit_when_due(tx, task.team_id, task.project_id)  # the decision improves the models
    await _ended(tx, [task], now, held=False)
    await settle(tx, task.team_id, task.slots_in, now)


async def send_back(tx: Tx, project: Project, task: Task, to_all: bool, now: int) -> list[str]:
    """Rejects the attempts of a task under review and reopens the task. Its slots must be locked.

    With `to_all`, its slots are open to everybody who may work it; otherwise one slot is kept for each person whose
    attempt was rejected. Returns the ids of these people.
    """
    people = await attempt_store.reject(tx, task.team_id, task.id, now)
    wanted = project.attempts_wanted if to_all else len(people)
    await slot_store.begin_anew(tx, task.team_id, task.slots_in, task.id, wanted, wanted if to_all else 0)
    return people


async def complete_enough(tx: Tx, project: Project, tasks: Sequence[Task], now: int) -> int:
    """Takes the next step of locked, pending tasks of a project that have all requested attempts: completes them, sends
    them to review, requests one more attempt, or queues their result for the background.

    Returns the number of completed tasks. Does not settle their batches.
    """
    if not tasks:
        return 0
    rules = CompletionRules.of(project)
    attempts = await attempt_store.attempts_of(tx, project.team_id, [task.id for task in tasks])
    results, costly = await aggregating.results(tx, tasks, attempts)
    if costly:
        await _postpone(tx, costly, {task.id: len(attempts[task.id]) for task in costly}, False, now)
    completed: list[Task] = []
    for task in tasks:
        if task.id not in results:
            continue
        result, count = results[task.id], len(attempts[task.id])
        step, reason = creation_policy.next_step(rules, count, result.confidence)
        if step is Step.ASK:
            await slot_store.ask_for(tx, task.team_id, task.slots_in, task.id, count + 1)
        elif reason is not None:
            await _review(tx, task, count, result, reason, now)
        else:
            completed.append(task)
    if completed:
        by_id = {task.id: results[task.id] for task in completed}
        await attempt_store.complete_all(tx, project.team_id, by_id, now)
        await _ended(tx, completed, now)
    return len(completed)


async def _ended(tx: Tx, tasks: Sequence[Task], now: int, *, held: bool = True) -> None:
    """Deletes the slots of completed tasks, updates the counts of their batches, and announces the event."""
    by_batch: dict[str, list[str]] = {}
    for task in tasks:
        by_batch.setdefault(task.slots_in, []).append(task.id)
    for batch_id, ids in sorted(by_batch.items()):
        await slot_store.end(tx, tasks[0].team_id, batch_id, ids)
        await batches.add_counts(tx, tasks[0].team_id, batch_id, pending=-len(ids), completed=len(ids))
    await tx.tell(TasksEnded.of(tasks, TaskStatus.COMPLETED, now, held=held))


async def complete_attempted(tx: Tx, team_id: str, batch_ids: Sequence[str], now: int) -> dict[str, int]:
    """Completes every pending task of these batches that has an attempt; returns their number by batch.

    A response that a reviewer has accepted or fixed at an earlier level is kept. Tasks with a costly result are
    completed later, when it has been computed in the background, and are not counted.
    """
    completed = dict.fromkeys(batch_ids, 0)
    for batch_id in sorted(completed):
        after = ""
        while found := await slot_store.lock_attempted(tx, team_id, batch_id, after, CHUNK):
            await background_store.force(tx, team_id, [task.id for task, judging in found if judging])
            tasks = [task for task, judging in found if not judging]
            completed[batch_id] += await _complete_now(tx, tasks, now) if tasks else 0
            after = found[-1][0].id
    for batch_id in sorted(completed):
        if completed[batch_id]:
            await settle(tx, team_id, batch_id, now)
    return completed


async def _complete_now(tx: Tx, tasks: Sequence[Task], now: int) -> int:
    """Completes locked tasks, or queues costly results that will complete them; returns the number completed now."""
    team_id = tasks[0].team_id
    decided = await attempt_store.decided_by_people(tx, team_id, [task.id for task in tasks])
    for task_id, response in decided.items():
        await attempt_store.complete_reviewed(tx, team_id, task_id, response, now)
    completed = [task for task in tasks if task.id in decided]
    others = [task for task in tasks if task.id not in decided]
    if others:
        attempts = await attempt_store.attempts_of(tx, team_id, [task.id for task in others])
        results, costly = await aggregating.results(tx, others, attempts)
        await attempt_store.complete_all(tx, team_id, results, now)
        completed += [task for task in others if task.id in results]
        if costly:
            await _postpone(tx, costly, {task.id: len(attempts[task.id]) for task in costly}, True, now)
    if completed:
        await _ended(tx, completed, now)
    return len(completed)


async def update_wanted_attempts(tx: Tx, project: Project, now: int) -> int:
    """Applies a project's pipeline to its pending tasks; returns the number completed because they have enough
    attempts."""
    await slot_store.set_wanted_of_quality(tx, project.team_id, project.id, project.attempts_wanted)
    completed: Counter[str] = Counter()
    for batch in await batches.of_project(tx, project):  # in the order of their ids, as everywhere
        completed[batch.id] = await _update_wanted_in_batch(tx, project, batch.id, now)
    for batch_id in sorted(+completed):
        await settle(tx, project.team_id, batch_id, now)
    return completed.total()


async def _update_wanted_in_batch(tx: Tx, project: Project, batch_id: str, now: int) -> int:
    after, wanted, completed = "", project.attempts_wanted, 0
    while found := await slot_store.lock_to_update_wanted(tx, project.team_id, batch_id, wanted, after, CHUNK):
        await slot_store.set_wanted(tx, project.team_id, batch_id, [task.id for task, _ in found], wanted)
        enough = [task for task, attempts in found if attempts >= wanted]
        completed += await complete_enough(tx, project, enough, now)
        after = found[-1][0].id
    return completed
