"""What ends claims, or undoes their end, from outside: time, and other rooms. Part of the room's service."""

from collections import Counter
from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.dispatch.model import Claim, ClaimState
from refonte_studio.dispatch.service import rework
from refonte_studio.dispatch.store import claims as claim_store
from refonte_studio.dispatch.store import rework_items as rework_store
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import Paused, PauseLifted, Unassigned
from refonte_studio.tasks.model import AttemptsImported, ResultsDue, ReviewDue, TasksEnded
from refonte_studio.teams.model import TeammatesDisabled

EXPIRE_LIMIT = 500  # leases ended in one transaction


async def expire(tx: Tx, held: Sequence[Claim], now: int) -> int:
    """Ends those of these claims whose lease has run out, and opens their slots; returns the number."""
    return await _end(tx, held, ClaimState.EXPIRED, now, until=now)


async def expire_leases(tx: Tx, now: int) -> int:
    """Ends up to 500 claims whose lease has run out, and opens their slots; returns the number."""
    return await expire(tx, await claim_store.due(tx, now, EXPIRE_LIMIT), now)


async def expire_due(tx: Tx, team_id: str, now: int) -> None:
    """Ends the expired claims of one team."""
    await expire(tx, await claim_store.due_of_team(tx, team_id, now, EXPIRE_LIMIT), now)


async def _end(tx: Tx, held: Sequence[Claim], state: ClaimState, now: int, until: int | None = None) -> int:
    """Ends claims from outside and gives their slots back."""
    if not held:
        return 0
    await claim_store.lock_slots(tx, held)
    ended = await claim_store.move_held(tx, held, state, now, until)
    opened = Counter(
        (claim.team_id, claim.batch_id, claim.task_id)
        for claim in ended
        if claim.batch_id is not None and not claim.is_rework
    )
    alike: dict[tuple[str, int], list[tuple[str, str]]] = {}  # by team and how many slots come back
    for (team_id, batch_id, task_id), slots in opened.items():
        alike.setdefault((team_id, slots), []).append((batch_id, task_id))
    for (team_id, slots), those in alike.items():
        batch_ids, task_ids = {batch_id for batch_id, _ in those}, [task_id for _, task_id in those]
        await claim_store.give_back_slots(tx, team_id, sorted(batch_ids), task_ids, slots)
    return len(ended)


async def on_disabled(tx: Tx, event: TeammatesDisabled) -> None:
    """What disabled people held, or had to do again, goes back to the queue."""
    await projects.bar_claims(tx, event.team_id, event.teammate_ids)
    await rework.give_up(tx, event.team_id, event.teammate_ids, None)
    held = await claim_store.held_by(tx, event.team_id, event.teammate_ids, None)
    await _end(tx, held, ClaimState.ENDED, event.now)


async def on_unassigned(tx: Tx, event: Unassigned) -> None:
    """What people held, or had to do again, in projects that they have left goes back to the queue; who comes back
    begins training anew."""
    await rework.give_up(tx, event.team_id, event.teammate_ids, event.project_ids)
    held = await claim_store.held_by(tx, event.team_id, event.teammate_ids, event.project_ids)
    await _end(tx, held, ClaimState.ENDED, event.now)
    await claim_store.retake_training(tx, event.team_id, event.teammate_ids, event.project_ids)


async def on_paused(tx: Tx, event: Paused) -> None:
    """What paused people had to do again is open to others; what they hold, they may finish."""
    await rework.give_up(tx, event.team_id, event.teammate_ids, [event.project_id])


async def on_pause_lifted(tx: Tx, event: PauseLifted) -> None:
    """Lets these people repeat training that they did not pass."""
    await claim_store.retake_training(tx, event.team_id, event.teammate_ids, [event.project_id])


async def on_attempts_imported(tx: Tx, event: AttemptsImported) -> None:
    """Nobody is given a task again that they have attempted elsewhere."""
    await claim_store.insert_submitted(tx, event.tasks, event.attempts)


async def on_tasks_ended(tx: Tx, event: TasksEnded) -> None:
    """Nobody holds a task that has been completed or canceled, or has it to do again."""
    if event.held:
        await claim_store.end_claims_on(tx, event.team_id, event.task_ids, event.now)
        await rework_store.remove_of_tasks(tx, event.team_id, event.task_ids)


async def on_review_due(tx: Tx, event: ReviewDue) -> None:
    """Nobody works a task while it is reviewed."""
    await claim_store.end_claims_on(tx, event.team_id, [event.task_id], event.now)
    await rework_store.remove_of_tasks(tx, event.team_id, [event.task_id])


async def on_results_due(tx: Tx, event: ResultsDue) -> None:
    """Nobody works a task while its result is made."""
    await claim_store.end_claims_on(tx, event.team_id, event.task_ids, event.now)
    await rework_store.remove_of_tasks(tx, event.team_id, event.task_ids)
