"""Use-cases of submissions. Part of the room's service."""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from refonte_studio import task_types
from refonte_studio.db import Tx
from refonte_studio.dispatch.model import DONE, Claim, ClaimState, NeedsCheckFirst, Submitted
from refonte_studio.dispatch.store import claims as claim_store
from refonte_studio.dispatch.store import rework_items as rework_store
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.clock import iso
from refonte_studio.kit.errors import Conflict, NotFound, shown
from refonte_studio.quality import service as quality
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import CheckContext, CheckedResponse, NewAttempt, RecordedAttempt, has_large

SignIn = Callable[[Tx], Coroutine[Any, Any, tuple[Caller, Callable[[Tx], Coroutine[Any, Any, None]] | None]]]


async def claim_of(tx: Tx, caller: Caller, claim_id: str) -> Claim:
    """A claim of this person's own. Raises NotFound for any other."""
    claim = await claim_store.claim_of(tx, caller, claim_id)
    if claim is None:
        raise NotFound(f"there is no claim {shown(claim_id)}")
    return claim


_WHY = {
    "expired": ": its lease ran out at {lease_end}, before the response came",
    "ended": ": its task was completed, canceled or sent to review meanwhile, or its person left the project or team",
    "released": ": its task was given back",
    "skipped": ": its task was declined",
}


def lost(claim: Claim, now: int) -> Conflict:
    """The error that tells why a claim is not held any more."""
    state = "expired" if claim.state is ClaimState.HELD and now >= claim.lease_expires_at else claim.state.value
    why = _WHY.get(state, "").format(lease_end=iso(claim.lease_expires_at))
    return Conflict(f"the claim {claim.id} is {state}{why}; claim the next task")


async def to_check(tx: Tx, sign_in: SignIn, claim_id: str, now: int) -> tuple[CheckContext, str | None]:
    """What a large response is checked against, before it is submitted, and whose answers are held back, if they are.
    Changes nothing.

    Raises NotFound for a claim that is not this person's, Conflict for one that is lost.
    """
    caller, _ = await sign_in(tx)
    claim = await claim_of(tx, caller, claim_id)
    if claim.state not in DONE and not claim.is_live(now):
        raise lost(claim, now)
    asked = await tasks.to_check(tx, caller, claim.task_id)
    if claim.state in DONE:  # nothing comes of it any more, whatever the task
        asked = msgspec.structs.replace(asked, alone=None)
    if not claim.evaluates:
        return asked, None
    return await quality.to_score(tx, caller, asked, claim.project_id), caller.teammate_id


async def submit(
    tx: Tx, caller: Caller, claim_id: str, response: dict[str, Any] | CheckedResponse, now: int
) -> Submitted:
    """Records an attempt; the same submission again answers the same. A response that comes unchecked is checked.

    Raises NotFound for a claim that is not this person's, Conflict for one that is lost or was submitted with
    another response, BadInput for a response that does not fit the task, NeedsCheckFirst where it is to be checked
    beforehand.
    """
    claim = await claim_of(tx, caller, claim_id)
    if claim.state in DONE:
        return await _submitted_before(tx, caller, claim, response)
    if not claim.is_live(now):
        raise lost(claim, now)
    found = await tasks.lock_pending(tx, caller.team_id, caller.mode, claim.task_id)
    if found is None:  # the task has ended, and the claim with it, perhaps by this same submission
        claim = await claim_of(tx, caller, claim_id)
        if claim.state in DONE:
            return await _submitted_before(tx, caller, claim, response)
        raise lost(claim, now)
    task, slot = found
    checked = _checked(task.id, task.type, task.params, response)
    if not await claim_store.move(tx, claim, ClaimState.SUBMITTED, now):
        # It was lost, or submitted by the same person's other request, while this one waited.
        return await submit(tx, caller, claim_id, response, now)
    if claim.is_rework:
        await rework_store.done(tx, claim)
    attempt = NewAttempt(claim.id, caller.teammate_id, checked.response, claim.claimed_at, checked.result)
    recorded = await tasks.record_attempt(tx, task, slot, attempt, now)
    if task.kind != "work" and await quality.score_attempt(tx, caller, task, claim.id, checked, now):
        await claim_store.retake(tx, claim)
    return submitted(caller, task.id, recorded, claim.evaluates)


def _checked(task_id: str, type_name: str, params: str, response: dict[str, Any] | CheckedResponse) -> CheckedResponse:
    """The response, checked now unless it was before. Raises NeedsCheckFirst if it ought to have been."""
    if isinstance(response, CheckedResponse):
        assert response.task_id == task_id, "a claim is on one task for good"
        return response
    if has_large(params):
        raise NeedsCheckFirst
    checked = task_types.TYPES[type_name].check_response(msgspec.json.decode(params), response)
    return CheckedResponse(task_id, msgspec.json.encode(checked).decode())


async def _submitted_before(
    tx: Tx, caller: Caller, claim: Claim, response: dict[str, Any] | CheckedResponse
) -> Submitted:
    row = await claim_store.recorded(tx, claim)
    if _checked(claim.task_id, row["type"], row["params"], response).response != row["response"]:
        raise Conflict(f"the claim {claim.id} was submitted before, with another response")
    recorded = tasks.recorded_before(row["number"], row["wanted"], row["quality"])
    return submitted(caller, claim.task_id, recorded, claim.evaluates)


def submitted(caller: Caller, task_id: str, recorded: RecordedAttempt, evaluates: bool) -> Submitted:
    """What a submission answers: the same for every kind of task, and the same when it is sent again."""
    status = "completed" if recorded.done else "pending"
    paced_for = caller.teammate_id if evaluates else None
    return Submitted(caller.id_of(task_id), status, recorded.shown_number, recorded.wanted, paced_for)
