"""The working loop: claims and submissions, each by the shortest way there is.

On PostgreSQL the common case is one statement, or two; what is not common goes the general way, in one transaction,
as everything does on SQLite.
"""

from contextlib import suppress
from typing import Any

from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import Unavailable
from refonte_studio.teams import service as teams
from refonte_studio.web import Call
from refonte_studio.work import at_once, service
from refonte_studio.work.model import Assignment, Submitted


async def claim(call: Call, project: str | None, batch: str | None, lease_ms: int) -> Assignment | None:
    """Finds out who calls, and claims their next task; see `service.claim_next`."""
    proof = call.proof
    if call.db.engine == "postgresql" and proof is not None:
        made = await call.db.single(at_once.claim_at_once, proof, project, batch, lease_ms, call.now)
        if made is not None:
            with suppress(Unavailable):  # the claim is made; what is left only helps later ones
                await _after(call, made)
            return made.assignment
    return await call.db.write(service.signed_in, call.sign_in, service.claim_next, project, batch, lease_ms, call.now)


async def submit(call: Call, claim_id: str, response: dict[str, Any]) -> Submitted:
    """Finds out who calls, and records their response; see `service.submit`."""
    proof = call.proof
    if call.db.engine == "postgresql" and proof is not None:
        held = await call.db.single(at_once.in_hand, proof, claim_id, call.now)
        if held is not None:
            done = await call.db.single(at_once.submit_at_once, held, response, call.now)
            if done is not None:
                with suppress(Unavailable):  # it is recorded
                    await _touch(call, held.caller, held.key_is_stale)
                return done
    return await call.db.write(service.signed_in, call.sign_in, service.submit, claim_id, response, call.now)


async def _after(call: Call, made: at_once.AtOnce) -> None:
    if made.notes_reach:
        await call.db.single(service.note_reach, made.caller, made.batch_id)
    if made.looks_back:
        await call.db.write(service.look_back, made.caller, made.batch_id)
    await _touch(call, made.caller, made.key_is_stale)


async def _touch(call: Call, caller: Caller, is_stale: bool) -> None:
    if is_stale and caller.key_id is not None:
        await call.db.write(teams.touch_key, caller.team_id, caller.key_id, call.now)
