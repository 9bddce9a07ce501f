"""Use-cases of claims: claim, extend, skip, release. `termination.py` ends claims from outside."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec

from refonte_studio.db import Tx
from refonte_studio.dispatch.model import (
    Candidate,
    Claim,
    ClaimState,
    HeldTask,
    OwnAttempt,
    ReturnedTask,
    Waiting,
    default_batch_name,
)
from refonte_studio.dispatch.policy import choices as choice_policy
from refonte_studio.dispatch.policy import labeler_view
from refonte_studio.dispatch.service.cursors import advance_cursor, look_back
from refonte_studio.dispatch.service.filters import ids_filtered_by
from refonte_studio.dispatch.service.submitting import SignIn, claim_of, lost
from refonte_studio.dispatch.service.termination import expire, expire_due
from refonte_studio.dispatch.store import (
    candidates as candidate_store,
)
from refonte_studio.dispatch.store import (
    claims as claim_store,
)
from refonte_studio.dispatch.store import (
    lists as list_store,
)
from refonte_studio.dispatch.store import (
    rework_items as rework_store,
)
from refonte_studio.files import service as files
from refonte_studio.files.model import File
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import NotFound, shown
from refonte_studio.kit.ids import new_id
from refonte_studio.kit.pages import Page, checked_token, page_of
from refonte_studio.quality import service as quality

P = ParamSpec("P")
T = TypeVar("T")
WAITING_LIMIT = 1_000  # tasks of one batch that are counted as waiting
CLAIM_TRIES = 3  # tasks looked at before a claim gives up, when others keep taking what was found


async def signed_in(
    tx: Tx,
    sign_in: SignIn,
    use_case: Callable[Concatenate[Tx, Caller, P], Coroutine[Any, Any, T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Finds out who calls, and does this for them, in one transaction. A use that fails is not noted."""
    caller, note_use = await sign_in(tx)
    result = await use_case(tx, caller, *args, **kwargs)
    if note_use is not None:
        await note_use(tx)
    return result


async def claim_and_pacing(
    tx: Tx, caller: Caller, project: str | None, batch: str | None, lease_ms: int, now: int
) -> tuple[HeldTask | None, str | None]:
    """Returns the result of `claim_next`, and the person whose response is paced; see `paced_for`."""
    task = await claim_next(tx, caller, project, batch, lease_ms, now)
    return task, await paced_for(tx, caller, task)


async def paced_for(tx: Tx, caller: Caller, task: HeldTask | None) -> str | None:
    """The person, if the time of an answer to their claim must tell nothing of evaluation tasks."""
    return task.claim.paced_for if task is not None else await _evaluated(tx, caller)


async def paced_caller(tx: Tx, sign_in: SignIn) -> str | None:
    """The caller, if they are assigned to a project that has evaluation tasks. Changes nothing."""
    caller, _ = await sign_in(tx)
    return await _evaluated(tx, caller)


async def _evaluated(tx: Tx, caller: Caller) -> str | None:
    return caller.teammate_id if await claim_store.is_evaluated(tx, caller) else None


async def claim_next(
    tx: Tx, caller: Caller, project: str | None, batch: str | None, lease_ms: int, now: int
) -> HeldTask | None:
    """The task that the person holds, or else the next one in the order of dispatch, or None if there is none.

    Raises NotFound for a project or batch that does not exist, or a batch of another project.
    """
    claim_id = new_id(now)
    project_id, batch_id = await ids_filtered_by(tx, caller, project, batch)
    held, due = await claim_store.held_and_due(tx, caller, now)
    if due:
        await expire_due(tx, caller.team_id, now)
    if held is not None and held.is_live(now):
        return await _held_task(tx, caller, held)
    if held is not None:  # among very many that are due, it may not have had its turn
        await expire(tx, [held], now)
    for _ in range(CLAIM_TRIES):
        candidate = await _next_candidate(tx, caller, project_id, batch_id)
        if candidate is None:
            if project_id is None:
                await look_back(tx, caller, None)
            return None
        taken = await _take(tx, caller, candidate, claim_id, lease_ms, now)
        if taken is not None:
            return taken
        # The same person claimed elsewhere at the same moment, or has just been unassigned.
        held, _ = await claim_store.held_and_due(tx, caller, now)
        if held is not None and held.is_live(now):
            return await _held_task(tx, caller, held)
    return None


async def claim_work_or_evaluation(
    tx: Tx, caller: Caller, found: Candidate | None, lease_ms: int, now: int
) -> HeldTask | None:
    """Claims the task for work that comes next, or the evaluation task that comes before it or instead of none.

    For people who hold nothing and owe neither training nor rework.
    """
    candidate = await _mixed(tx, caller, found) if found else await _left_to_evaluate(tx, caller, None, None)
    if candidate is None:
        await look_back(tx, caller, None)
        return None
    return await _take(tx, caller, candidate, new_id(now), lease_ms, now)


async def _take(
    tx: Tx, caller: Caller, candidate: Candidate, claim_id: str, lease_ms: int, now: int
) -> HeldTask | None:
    """Claims a candidate; None if somebody or something got there first."""
    claim = await _claim(tx, caller, candidate, claim_id, lease_ms, now)
    if claim is None:
        return None
    await keep_walks_short(tx, caller, candidate, claim_id)
    return await _held_task(tx, caller, claim, candidate)


async def keep_walks_short(tx: Tx, caller: Caller, candidate: Candidate, claim_id: str) -> None:
    """Stores the person's position in the batch at intervals, so that later searches begin there."""
    if candidate.batch_id is None:
        return
    if choice_policy.advances_cursor(candidate.has_cursor, claim_id):
        await advance_cursor(tx, caller, candidate.batch_id)
    if choice_policy.looks_back(candidate.has_cursor, claim_id):
        await look_back(tx, caller, candidate.batch_id)


async def _next_candidate(tx: Tx, caller: Caller, project_id: str | None, batch_id: str | None) -> Candidate | None:
    """Training that is owed comes first; then what was sent back to the person; then batches in priority order; in a
    batch, the oldest task first.

    Evaluation tasks are mixed in, and what is left of them comes when there is no other work.
    """
    training = await candidate_store.next_training(tx, caller, project_id)
    if training is not None:
        shown_batch = batch_id or await candidate_store.first_open_batch(tx, caller, training.project_id)
        return msgspec.structs.replace(training, batch_id=shown_batch)
    rework = await rework_store.next_rework_item(tx, caller, project_id, batch_id)
    if rework is not None:
        return rework
    candidate = await candidate_store.next_open(tx, caller, project_id, batch_id)
    if candidate is None:
        return await _left_to_evaluate(tx, caller, project_id, batch_id)
    return await _mixed(tx, caller, candidate)


async def _left_to_evaluate(tx: Tx, caller: Caller, project_id: str | None, batch_id: str | None) -> Candidate | None:
    """An evaluation task, when there is no other work, shown as one of the batch worked last, or next."""
    evaluation = await candidate_store.next_evaluation(tx, caller, project_id, batch_id)
    if evaluation is None:
        return None
    shown_batch = (
        evaluation.batch_id
        or await candidate_store.last_batch(tx, caller, evaluation.project_id)
        or await candidate_store.first_open_batch(tx, caller, evaluation.project_id)
    )
    return msgspec.structs.replace(evaluation, batch_id=shown_batch)


async def _mixed(tx: Tx, caller: Caller, candidate: Candidate) -> Candidate:
    """The evaluation task that comes before this task for work, if one does; or else the task itself."""
    mixes_in = choice_policy.mixes_in(caller.teammate_id, candidate.task_id, candidate.mix)
    if mixes_in and not await candidate_store.just_evaluated(tx, caller):
        evaluation = await candidate_store.next_evaluation(tx, caller, candidate.project_id, candidate.batch_id)
        if evaluation is not None:
            return msgspec.structs.replace(evaluation, batch_id=candidate.batch_id)
    return candidate


async def _claim(tx: Tx, caller: Caller, candidate: Candidate, claim_id: str, lease_ms: int, now: int) -> Claim | None:
    """Takes a slot and makes the claim; None if somebody or something got there first."""
    task_id, batch_id, expires = candidate.task_id, candidate.batch_id, now + lease_ms
    slot_in = batch_id if candidate.kind == "work" and not candidate.is_rework else None
    if candidate.is_rework and not await rework_store.lock_slot(tx, caller.team_id, batch_id, task_id):
        return None
    if slot_in is not None and not await claim_store.take_slot(tx, caller.team_id, slot_in, task_id):
        return None
    if not await claim_store.insert_claim(tx, caller, candidate, claim_id, now, expires):
        if slot_in is not None:
            await claim_store.give_back_slots(tx, caller.team_id, [slot_in], [task_id], 1)
        return None
    return claimed(caller, candidate, claim_id, now, expires)


def claimed(caller: Caller, candidate: Candidate, claim_id: str, now: int, expires: int) -> Claim:
    """The claim that has just been made of a candidate."""
    return Claim(
        id=claim_id,
        team_id=caller.team_id,
        task_id=candidate.task_id,
        project_id=candidate.project_id,
        batch_id=candidate.batch_id,
        teammate_id=caller.teammate_id,
        state=ClaimState.HELD,
        claimed_at=now,
        lease_expires_at=expires,
        is_rework=candidate.is_rework,
        evaluates=candidate.evaluates,
    )


async def _held_task(tx: Tx, caller: Caller, claim: Claim, candidate: Candidate | None = None) -> HeldTask:
    if candidate is not None and candidate.kind == "work":
        return HeldTask(caller, claim, candidate.type, candidate.project, candidate.batch, candidate.params)
    row = await claim_store.task_and_names(tx, claim)
    batch = row["batch"] or default_batch_name(row["project"])
    return HeldTask(caller, claim, row["type"], row["project"], batch, row["params"])


async def attachment_of(tx: Tx, caller: Caller, claim_id: str, name: str, now: int) -> File:
    """A file of the task that the person holds, by its number in the task or, for those who may read tasks, by its id.

    Raises NotFound for any other file, Conflict if the claim is lost.
    """
    claim = await claim_of(tx, caller, claim_id)
    if not claim.is_live(now):
        raise lost(claim, now)
    file_id = labeler_view.file_id(caller, (await claim_store.task_and_names(tx, claim))["params"], name)
    if file_id is None:
        raise NotFound(f"the task has no file {shown(name)}")
    file = await files.find(tx, caller.team_id, caller.mode, file_id)
    return replace(file, name=labeler_view.file_name(caller, name, file.name))


async def extend(tx: Tx, caller: Caller, claim_id: str, lease_ms: int, now: int) -> Claim:
    """Renews the lease: it runs for its whole length from now. Raises NotFound, or Conflict for a lost claim."""
    claim = await claim_of(tx, caller, claim_id)
    expires = now + lease_ms
    if not claim.is_live(now) or not await claim_store.extend(tx, claim, expires):
        raise lost(await claim_of(tx, caller, claim_id), now)
    return msgspec.structs.replace(claim, lease_expires_at=expires)


async def skip(tx: Tx, caller: Caller, claim_id: str, reason: str | None, now: int) -> ReturnedTask:
    """Declines the task for good; its slot is open to others. Who declines training is paused in the project.

    Raises NotFound, or Conflict for a lost claim.
    """
    claim = await _put_down(tx, caller, claim_id, ClaimState.SKIPPED, reason, now)
    await quality.note_declined(tx, caller, claim.project_id, claim.task_id, now)
    return ReturnedTask(caller.id_of(claim.task_id), claim.paced_for)


async def release(tx: Tx, caller: Caller, claim_id: str, now: int) -> ReturnedTask:
    """Gives the task back; the same person may get it again. Raises NotFound, or Conflict for a lost claim."""
    claim = await _put_down(tx, caller, claim_id, ClaimState.RELEASED, None, now)
    return ReturnedTask(caller.id_of(claim.task_id), claim.paced_for)


async def _put_down(tx: Tx, caller: Caller, claim_id: str, state: ClaimState, reason: str | None, now: int) -> Claim:
    claim = await claim_of(tx, caller, claim_id)
    if claim.state is state:  # the request was sent again
        return claim
    if not claim.is_live(now):
        raise lost(claim, now)
    if claim.batch_id is not None:
        if state is ClaimState.SKIPPED:
            await claim_store.give_up_slot(tx, claim.team_id, claim.batch_id, claim.task_id)
            await rework_store.done(tx, claim)
        elif not await _stays_theirs(tx, caller, claim):
            await claim_store.give_back_slots(tx, claim.team_id, [claim.batch_id], [claim.task_id], 1)
    if not await claim_store.move(tx, claim, state, now, reason):
        raise lost(await claim_of(tx, caller, claim_id), now)
    return claim


async def _stays_theirs(tx: Tx, caller: Caller, claim: Claim) -> bool:
    """Whether the slot of a claim is kept for its person. If so, its row is locked, so that it stays so: until then,
    somebody may take the rework item away, who leaves it to the end of the claim to open the slot."""
    if not claim.is_rework:
        return False
    await rework_store.lock_slot(tx, claim.team_id, claim.batch_id, claim.task_id)
    return (await claim_of(tx, caller, claim.id)).is_rework


async def queue(tx: Tx, caller: Caller) -> list[Waiting]:
    """What is waiting for this person, in the order of dispatch; without what they hold already."""
    waiting = choice_policy.with_quality(
        await list_store.waiting(tx, caller, WAITING_LIMIT),
        await list_store.quality_waiting(tx, caller),
        WAITING_LIMIT,
    )
    return [part for part in waiting if part.tasks]


async def history(tx: Tx, caller: Caller, limit: int, token: str | None) -> Page[OwnAttempt]:
    """A page of the person's own attempts, the newest first."""
    rows = await list_store.history(tx, caller, limit + 1, checked_token(token))
    known = [replace(done, task_id=caller.id_of(done.task_id)) for done in rows]
    return page_of(known, limit, lambda done: done.claim_id)
