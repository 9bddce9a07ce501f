"""Claim and submit on PostgreSQL, each in one statement: the common case of what `service` does in several.

Whatever is not common is left to `service`, with nothing done.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from refonte_studio.db import Row, Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.kit.caller import Caller, Proof, Role
from refonte_studio.kit.ids import new_id
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks import types
from refonte_studio.teams import service as teams
from refonte_studio.work import policy, service, store_hot, store_next
from refonte_studio.work.model import Assignment, Submitted


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A claim made by one statement, and what is left to do after it."""

    caller: Caller
    assignment: Assignment
    batch_id: str
    notes_reach: bool  # whether `note_reach` is due
    looks_back: bool  # whether `look_back` is due
    key_is_stale: bool  # whether the use of the key is to be noted


async def claim_at_once(tx: Tx, proof: Proof, lease_ms: int, now: int) -> AtOnce | None:
    """What `claim_next` does, in one statement, on PostgreSQL; None, with nothing done, where that cannot be."""
    claim_id, expires = new_id(now), now + lease_ms
    stale = now - teams.KEY_USE_RESOLUTION_MS
    try:
        row = await store_hot.claim(tx, proof, claim_id, policy.MIX_BELOW, now, expires, stale)
    except Duplicate:  # the same person claims elsewhere at the same moment
        return None
    if row is None:
        return None
    caller, found = _caller(row), store_next.candidate_of(row)
    held = service.claimed(caller, found, claim_id, now, expires)
    assignment = Assignment(held, found.type, found.project, found.batch, found.params)
    return AtOnce(
        caller,
        assignment,
        batch_id=row["batch_id"],
        notes_reach=policy.notes_reach(found.noted, claim_id),
        looks_back=policy.looks_back(claim_id),
        key_is_stale=row["stale"],
    )


def _caller(row: Row) -> Caller:
    return Caller(row["team_id"], row["me"], row["email"], Role(row["role"]), row["mode"], key_id=row["key_id"])


@dataclass(frozen=True, slots=True)
class InHand:
    """A live claim on a task for work, as one statement found it, whose submission one more can record."""

    caller: Caller
    claim_id: str
    batch_id: str
    task_id: str
    type: str
    params: str
    completes: bool  # the task, which wants no more than this attempt
    key_is_stale: bool


async def in_hand(tx: Tx, proof: Proof, claim_id: str, now: int) -> InHand | None:
    """What a submission is about, on PostgreSQL; None where `submit` is to see for itself."""
    row = await store_hot.look(tx, proof, claim_id, now, now - teams.KEY_USE_RESOLUTION_MS)
    if row is None:
        return None
    only = row["wanted"] == 1 and row["attempts"] == 0 and row["open"] == 0 and row["callback_url"] is None
    if not only and row["attempts"] + 1 >= row["wanted"]:
        return None
    task = row["task_id"], row["type"], row["params"]
    return InHand(_caller(row), claim_id, row["batch_id"], *task, only, row["stale"])


async def submit_at_once(tx: Tx, held: InHand, response: dict[str, Any], now: int) -> Submitted | None:
    """What `submit` does, in one statement, on PostgreSQL; None, with nothing done, where that cannot be.

    Raises BadInput for a response that does not fit the task.
    """
    checked = types.TYPES[held.type].check_response(msgspec.json.decode(held.params), response)
    text, far = msgspec.json.encode(checked).decode(), tasks.AT_ONCE + 1 if held.completes else None
    try:
        row = await store_hot.record(
            tx, held.caller.team_id, held.claim_id, held.batch_id, held.task_id, text, far, now
        )
    except Duplicate:
        return None
    return service.submitted(held.task_id, row["number"], row["wanted"]) if row is not None else None
