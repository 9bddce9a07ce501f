"""Use-cases of the outbox: notifications are recorded in the transaction of their cause, and sent after its commit."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from refonte_studio.batches import service as batches
from refonte_studio.batches.model import BatchCompleted
from refonte_studio.callbacks import store
from refonte_studio.callbacks.model import (
    Callback,
    CallbackContent,
    CallbackEvent,
    CallbackSecrets,
    CallbackState,
    lane,
    pair_of_pause,
    subject_of_pause,
)
from refonte_studio.callbacks.policy import retries as retry_policy
from refonte_studio.callbacks.policy.payloads import batch_body, pause_body, task_body
from refonte_studio.db import Tx
from refonte_studio.db.engine import vital
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.errors import BadInput, NotFound, shown
from refonte_studio.kit.ids import new_id, new_ids
from refonte_studio.kit.pages import Page, checked_token, page_of
from refonte_studio.projects import service as projects
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import CallbackAsked, Task, TaskAudited, TasksChanged, TasksEnded, TaskStatus
from refonte_studio.teams import service as teams

SWEEP_LIMIT = 5_000


# --------------------------------------------------------------------------------------------- what is to be told


async def on_tasks_ended(tx: Tx, event: TasksEnded) -> None:
    """Records callbacks for those of the tasks that have a callback_url."""
    await _of_tasks(
        tx, event, CallbackEvent.TASK_COMPLETED if event.status is TaskStatus.COMPLETED else CallbackEvent.TASK_CANCELED
    )


async def on_tasks_changed(tx: Tx, event: TasksChanged) -> None:
    """Records further callbacks for those of the tasks that have a callback_url."""
    await _of_tasks(tx, event, CallbackEvent.TASK_CHANGED)


async def _of_tasks(tx: Tx, event: TasksEnded | TasksChanged, about: CallbackEvent) -> None:
    wanted = sorted(event.callback_urls.items())
    if wanted:
        ids = new_ids(event.now, len(wanted))
        rows = [(id_, url, task_id) for id_, (task_id, url) in zip(ids, wanted, strict=True)]
        await store.insert(tx, event.team_id, event.mode, about, rows, event.now)


async def on_task_audited(tx: Tx, event: TaskAudited) -> None:
    """Records a further callback for the task, if it has a callback_url, with the result of the audit."""
    await _of_task(tx, event.task, CallbackEvent.TASK_AUDITED, event.now)


async def on_callback_asked(tx: Tx, event: CallbackAsked) -> None:
    """Records another callback for the task."""
    await _of_task(tx, event.task, CallbackEvent.TASK_RESENT, event.now)


async def _of_task(tx: Tx, task: Task, about: CallbackEvent, now: int) -> None:
    if task.callback_url is not None:
        rows = [(new_id(now), task.callback_url, task.id)]
        await store.insert(tx, task.team_id, task.mode, about, rows, now)


async def on_batch_completed(tx: Tx, event: BatchCompleted) -> None:
    """Records a callback for the batch, if it has one."""
    batch = event.batch
    if batch.callback:
        rows = [(new_id(event.now), batch.callback, batch.id)]
        await store.insert(tx, batch.team_id, batch.mode, CallbackEvent.BATCH_COMPLETED, rows, event.now)


async def tell_paused(
    tx: Tx, team_id: str, mode: Mode, project_id: str, teammate_id: str, addresses: Sequence[str], now: int
) -> None:
    """Records a mail to each of these addresses: the person is paused in the project."""
    subject = subject_of_pause(teammate_id, project_id)
    rows = [(id_, address, subject) for id_, address in zip(new_ids(now, len(addresses)), addresses, strict=True)]
    await store.insert(tx, team_id, mode, CallbackEvent.LABELER_PAUSED, rows, now)


# ----------------------------------------------------------------------------------------------------------- tries


@vital
async def begin_tries(tx: Tx, now: int, under_way: Mapping[str, int], limit: int) -> list[Callback]:
    """Starts and returns tries of due callbacks. No other process gets them while the tries may be running.

    `under_way` counts the running tries of the calling process by lane.
    """
    due = await store.lanes_due(tx, now)
    begun: list[Callback] = []
    for name, count in retry_policy.tries_to_start(due, under_way, limit).items():
        begun += await store.begin_tries(tx, name, now, now + retry_policy.LEASE_MS, count)
    return begun


@vital
async def content(tx: Tx, callback: Callback) -> CallbackContent | None:
    """Returns what to send, according to the current data, not the data at the time of the event. None if it is
    gone."""
    match callback.event:
        case (
            CallbackEvent.TASK_COMPLETED
            | CallbackEvent.TASK_CANCELED
            | CallbackEvent.TASK_CHANGED
            | CallbackEvent.TASK_AUDITED
            | CallbackEvent.TASK_RESENT
        ):
            return await _task_content(tx, callback)
        case CallbackEvent.BATCH_COMPLETED:
            return await _batch_content(tx, callback)
        case CallbackEvent.LABELER_PAUSED:
            return await _pause_content(tx, callback)
    assert_never(callback.event)


async def _keys(tx: Tx, team_id: str) -> CallbackSecrets:
    secret, auth = await teams.callback_keys(tx, team_id)
    return CallbackSecrets(secret, auth)


async def _task_content(tx: Tx, callback: Callback) -> CallbackContent | None:
    task = (await tasks.tasks_by_ids(tx, callback.team_id, [callback.subject_id])).get(callback.subject_id)
    if task is None:
        return None
    (shown_as,) = await tasks.described(tx, callback.team_id, [task])
    body = task_body(task.id, task.status.value, shown_as, task.response)
    return CallbackContent(body, f"Task {task.id} is {task.status.value}", await _keys(tx, callback.team_id))


async def _batch_content(tx: Tx, callback: Callback) -> CallbackContent | None:
    batch = (await batches.by_ids(tx, callback.team_id, [callback.subject_id])).get(callback.subject_id)
    if batch is None:
        return None
    names = await projects.names_by_ids(tx, callback.team_id, [batch.project_id])
    body = batch_body(batch, names[batch.project_id])
    return CallbackContent(body, f"Batch {batch.name} is completed", await _keys(tx, callback.team_id))


async def _pause_content(tx: Tx, callback: Callback) -> CallbackContent | None:
    """The pause may have ended since, and the person may have left the project."""
    teammate_id, project_id = pair = pair_of_pause(callback.subject_id)
    email = (await teams.emails_of(tx, callback.team_id, [teammate_id])).get(teammate_id)
    project = (await projects.names_by_ids(tx, callback.team_id, [project_id])).get(project_id)
    if email is None or project is None:
        return None
    pause = (await projects.assignments_of(tx, callback.team_id, [pair])).get(pair)
    reason = f": {pause.reason}" if pause is not None and pause.reason else ""
    body = pause_body(email, project, pause)
    return CallbackContent(body, f"{email} is paused in {project}{reason}", await _keys(tx, callback.team_id))


@vital
async def delivered(tx: Tx, callback: Callback, now: int) -> bool:
    """Records a successful try. Returns False if another one has started since."""
    return await _end_try(tx, callback, CallbackState.DELIVERED, callback.next_try_at, None, now)


@vital
async def not_delivered(tx: Tx, callback: Callback, error: str, pause_ms: int | None, now: int) -> bool:
    """Records a failed try; the next one starts after the pause, or never. Returns False if another one has started
    since."""
    state = CallbackState.FAILED if pause_ms is None else CallbackState.WAITING
    next_try_at, why = now + (pause_ms or 0), retry_policy.error_shown(error)
    return await _end_try(tx, callback, state, next_try_at, why, callback.delivered_at)


async def _end_try(
    tx: Tx, callback: Callback, state: CallbackState, next_try_at: int, error: str | None, delivered_at: int | None
) -> bool:
    retries = lane(callback.team_id, callback.event, callback.url, again=True)
    if not await store.end_try(tx, callback, state, next_try_at, error, delivered_at, retries):
        return False
    if state is not CallbackState.WAITING and callback.event.value.startswith("task."):
        succeeded = state is CallbackState.DELIVERED
        await tasks.set_callback_succeeded(tx, callback.team_id, callback.subject_id, succeeded)
    return True


# ------------------------------------------------------------------------------------------ what managers see and do


async def secret_of(tx: Tx, caller: Caller) -> str:
    """Returns the secret that signs the team's callbacks."""
    return retry_policy.signing_secret((await _keys(tx, caller.team_id)).secret)


async def has_auth(tx: Tx, caller: Caller) -> bool:
    """Whether the team's callbacks carry a secret of its own."""
    return (await _keys(tx, caller.team_id)).auth is not None


async def set_auth(tx: Tx, caller: Caller, secret: str | None) -> bool:
    """Sets or removes the secret that the team's callbacks carry. Returns whether they carry one.

    Raises BadInput for a secret that is not valid in a header.
    """
    await teams.set_callback_auth(tx, caller.team_id, None if secret is None else retry_policy.checked_auth(secret))
    return secret is not None


async def listing(tx: Tx, caller: Caller, state: str | None, limit: int, token: str | None) -> Page[Callback]:
    """Returns the team's callbacks, newest first."""
    wanted = None if state is None else _state(state)
    rows = await store.page(tx, caller.team_id, caller.mode, wanted, checked_token(token), limit + 1)
    return page_of(rows, limit, lambda callback: callback.id)


def _state(state: str) -> CallbackState:
    try:
        return CallbackState(state)
    except ValueError:
        raise BadInput(f"state must be one of {', '.join(CallbackState)}, not {shown(state)}") from None


async def find(tx: Tx, caller: Caller, callback_id: str) -> Callback:
    """Returns the callback. Raises NotFound."""
    found = await store.callback(tx, caller.team_id, caller.mode, callback_id)
    if found is None:
        raise NotFound(f"there is no callback {shown(callback_id)}")
    return found


async def retry(tx: Tx, caller: Caller, callback_id: str, now: int) -> Callback:
    """Makes the callback due at once, whatever its state, with all its tries again. Raises NotFound."""
    found = await store.start_over(tx, caller.team_id, caller.mode, callback_id, now)
    if found is None:
        raise NotFound(f"there is no callback {shown(callback_id)}")
    return found


async def sweep(tx: Tx, now: int) -> int:
    """Deletes old callbacks. Returns how many."""
    oldest_kept = f"{now - retry_policy.KEPT_MS:012x}"  # ids start with their creation time
    return await store.sweep(tx, oldest_kept, SWEEP_LIMIT)
