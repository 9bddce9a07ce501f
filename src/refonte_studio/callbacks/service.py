"""Use-cases of the outbox: what is to be told is recorded with what caused it, and told after the commit."""

from collections.abc import Sequence
from itertools import groupby

from refonte_studio.batches import service as batches
from refonte_studio.batches.model import BatchCompleted
from refonte_studio.callbacks import policy, store
from refonte_studio.callbacks.model import About, Callback, Parcel, State, pair_of_pause, subject_of_pause
from refonte_studio.callbacks.wire import batch_body, pause_body, task_body
from refonte_studio.db import Tx
from refonte_studio.db.engine import vital
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.errors import BadInput, NotFound, shown
from refonte_studio.kit.ids import new_id, new_ids
from refonte_studio.kit.pages import Page, checked_token, page_of
from refonte_studio.projects import service as projects
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import Status, TasksChanged, TasksEnded
from refonte_studio.teams import service as teams

CHUNK = 500
SWEEP_LIMIT = 5_000


async def on_tasks_ended(tx: Tx, event: TasksEnded) -> None:
    """Those of the tasks that have a callback_url are to be told of."""
    await _of_tasks(tx, event, About.TASK_COMPLETED if event.status is Status.COMPLETED else About.TASK_CANCELED)


async def on_tasks_changed(tx: Tx, event: TasksChanged) -> None:
    """Those of the tasks that have a callback_url are to be told of again."""
    await _of_tasks(tx, event, About.TASK_CHANGED)


async def _of_tasks(tx: Tx, event: TasksEnded | TasksChanged, about: About) -> None:
    wanted = sorted(event.callback_urls.items())
    if wanted:
        ids = new_ids(event.now, len(wanted))
        rows = [(id_, url, task_id) for id_, (task_id, url) in zip(ids, wanted, strict=True)]
        await store.insert(tx, event.team_id, event.mode, about, rows, event.now)


async def on_batch_completed(tx: Tx, event: BatchCompleted) -> None:
    """The batch's callback, if it has one, is to be told of it."""
    batch = event.batch
    if batch.callback:
        rows = [(new_id(event.now), batch.callback, batch.id)]
        await store.insert(tx, batch.team_id, batch.mode, About.BATCH_COMPLETED, rows, event.now)


async def tell_paused(
    tx: Tx, team_id: str, mode: Mode, project_id: str, teammate_id: str, addresses: Sequence[str], now: int
) -> None:
    """Each of these addresses is to be told, by mail, that the person is paused in the project."""
    subject = subject_of_pause(teammate_id, project_id)
    rows = [(id_, address, subject) for id_, address in zip(new_ids(now, len(addresses)), addresses, strict=True)]
    await store.insert(tx, team_id, mode, About.LABELER_PAUSED, rows, now)


@vital
async def begin_tries(tx: Tx, now: int, busy_teams: Sequence[str], limit: int) -> list[Callback]:
    """Due callbacks, whose try has begun with this; no other process gets them while it may be under way."""
    return await store.begin_tries(tx, now, now + policy.LEASE_MS, busy_teams, limit)


@vital
async def parcels(tx: Tx, callbacks: Sequence[Callback]) -> list[Parcel]:
    """What is to be sent: as things are now, not as they were when they ended."""
    made: list[Parcel] = []
    by_team = sorted(callbacks, key=lambda callback: (callback.team_id, callback.mode))
    for (team_id, _), of_team in groupby(by_team, key=lambda callback: (callback.team_id, callback.mode)):
        listed = list(of_team)
        secret = await teams.callback_secret(tx, team_id)
        made += await _task_parcels(tx, [each for each in listed if each.event in _OF_TASKS], secret)
        made += await _batch_parcels(tx, [each for each in listed if each.event is About.BATCH_COMPLETED], secret)
        made += await _pause_parcels(tx, [each for each in listed if each.event is About.LABELER_PAUSED], secret)
    return made


_OF_TASKS = (About.TASK_COMPLETED, About.TASK_CANCELED)


async def _task_parcels(tx: Tx, callbacks: Sequence[Callback], secret: str) -> list[Parcel]:
    if not callbacks:
        return []
    first = callbacks[0]
    ids = list({callback.subject_id for callback in callbacks})
    found = list((await tasks.tasks_by_ids(tx, first.team_id, ids)).values())
    shown_as = dict(zip((task.id for task in found), await tasks.described(tx, first.team_id, found), strict=True))
    bodies = {task.id: task_body(task.id, task.status.value, shown_as[task.id], task.response) for task in found}
    return [
        Parcel(callback, bodies[callback.subject_id], secret, f"Task {callback.subject_id} is completed")
        for callback in callbacks
    ]


async def _batch_parcels(tx: Tx, callbacks: Sequence[Callback], secret: str) -> list[Parcel]:
    if not callbacks:
        return []
    team_id = callbacks[0].team_id
    found = await batches.by_ids(tx, team_id, list({callback.subject_id for callback in callbacks}))
    names = await projects.names_by_ids(tx, team_id, list({batch.project_id for batch in found.values()}))
    made: list[Parcel] = []
    for callback in callbacks:
        batch = found[callback.subject_id]
        body = batch_body(batch, names[batch.project_id])
        made.append(Parcel(callback, body, secret, f"Batch {batch.name} is completed"))
    return made


async def _pause_parcels(tx: Tx, callbacks: Sequence[Callback], secret: str) -> list[Parcel]:
    """As things are now: a pause may have been lifted since, and the person may have left the project."""
    if not callbacks:
        return []
    team_id = callbacks[0].team_id
    pairs = [pair_of_pause(callback.subject_id) for callback in callbacks]
    found = await projects.assignments_of(tx, team_id, pairs)
    emails = {person.id: person.email for person in await teams.team_members(tx, team_id)}
    names = await projects.names_by_ids(tx, team_id, list({project_id for _, project_id in pairs}))
    made: list[Parcel] = []
    for callback, (teammate_id, project_id) in zip(callbacks, pairs, strict=True):
        pause = found.get((teammate_id, project_id))
        email, project = emails.get(teammate_id, ""), names[project_id]
        reason = f": {pause.reason}" if pause is not None and pause.reason else ""
        body = pause_body(email, project, pause)
        made.append(Parcel(callback, body, secret, f"{email} is paused in {project}{reason}"))
    return made


@vital
async def delivered(tx: Tx, callback: Callback, now: int) -> bool:
    """The try succeeded. False if another one has begun since."""
    return await store.end_try(tx, callback, State.DELIVERED, callback.next_try_at, None, now)


@vital
async def not_delivered(tx: Tx, callback: Callback, error: str, pause_ms: int | None, now: int) -> bool:
    """The try failed; the next one comes after the pause, or never. False if another one has begun since."""
    state = State.FAILED if pause_ms is None else State.WAITING
    return await store.end_try(
        tx, callback, state, now + (pause_ms or 0), error[: policy.ERROR_LENGTH], callback.delivered_at
    )


async def secret_of(tx: Tx, caller: Caller) -> str:
    """What the team's callbacks are signed with."""
    return policy.signing_secret(await teams.callback_secret(tx, caller.team_id))


async def listing(tx: Tx, caller: Caller, state: str | None, limit: int, token: str | None) -> Page[Callback]:
    """The team's callbacks, the newest first."""
    wanted = None if state is None else _state(state)
    rows = await store.page(tx, caller.team_id, caller.mode, wanted, checked_token(token), limit + 1)
    return page_of(rows, limit, lambda callback: callback.id)


def _state(state: str) -> State:
    try:
        return State(state)
    except ValueError:
        raise BadInput(f"state must be one of {', '.join(State)}, not {shown(state)}") from None


async def find(tx: Tx, caller: Caller, callback_id: str) -> Callback:
    """The callback. Raises NotFound."""
    found = await store.callback(tx, caller.team_id, caller.mode, callback_id)
    if found is None:
        raise NotFound(f"there is no callback {shown(callback_id)}")
    return found


async def retry(tx: Tx, caller: Caller, callback_id: str, now: int) -> Callback:
    """Sends it again, whatever its state, with all its tries before it. Raises NotFound."""
    found = await store.start_over(tx, caller.team_id, caller.mode, callback_id, now)
    if found is None:
        raise NotFound(f"there is no callback {shown(callback_id)}")
    return found


async def sweep(tx: Tx, now: int) -> int:
    """Forgets old callbacks; answers how many."""
    oldest_kept = f"{now - policy.KEPT_MS:012x}"  # ids begin with the time of their making
    return await store.sweep(tx, oldest_kept, SWEEP_LIMIT)
