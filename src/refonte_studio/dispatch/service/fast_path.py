"""Claim and submit on PostgreSQL, each in one statement: the common case of what `service` does in several.

Whatever is not common is left to `service`, with nothing done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from refonte_studio import task_types
from refonte_studio.aggregation import service as aggregation
from refonte_studio.aggregation.model import NO_MODELS, AnnotatorModels, Result
from refonte_studio.db import Row, Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.dispatch.model import Assignment, ChecksFirst, Submitted
from refonte_studio.dispatch.policy import choices as choice_policy
from refonte_studio.dispatch.service import claiming
from refonte_studio.dispatch.store import candidates as candidate_store
from refonte_studio.dispatch.store import fast_path as fast_path_store
from refonte_studio.kit.caller import Caller, HashedCredential, Role
from refonte_studio.kit.ids import new_id
from refonte_studio.kit.names import name_key
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import has_large
from refonte_studio.teams import service as teams


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A claim made by one statement, and what is left to do after it."""

    caller: Caller
    assignment: Assignment
    batch_id: str
    advances_cursor: bool  # whether `advance_cursor` is due
    looks_back: bool  # whether `look_back` is due
    key_is_stale: bool  # whether the use of the key is to be noted


async def claim_at_once(
    tx: Tx, credential: HashedCredential, project: str | None, batch: str | None, lease_ms: int, now: int
) -> AtOnce | None:
    """What `claim_next` does, in one statement, on PostgreSQL; None, with nothing done, where that cannot be."""
    claim_id, expires = new_id(now), now + lease_ms
    try:
        row = await fast_path_store.claim(
            tx,
            credential,
            claim_id,
            project=None if project is None else name_key(project),
            batch=None if batch is None else name_key(batch),
            now=now,
            expires=expires,
            stale=now - teams.KEY_USE_RESOLUTION_MS,
        )
    except Duplicate:  # the same person claims elsewhere at the same moment
        return None
    if row is None:
        return None
    caller, found = _caller(row), candidate_store.candidate_of(row)
    held = claiming.claimed(caller, found, claim_id, now, expires)
    assignment = Assignment(caller, held, found.type, found.project, found.batch, found.params)
    return AtOnce(
        caller,
        assignment,
        batch_id=row["batch_id"],
        advances_cursor=choice_policy.advances_cursor(found.noted, claim_id),
        looks_back=choice_policy.looks_back(found.noted, claim_id),
        key_is_stale=row["stale"],
    )


def _caller(row: Row) -> Caller:
    return Caller(
        row["team_id"],
        row["me"],
        row["email"],
        Role(row["role"]),
        row["mode"],
        row["key_id"],
        alias_key=row["alias_key"],
    )


class Other(msgspec.Struct):
    """Somebody else's attempt of the same task."""

    by: str
    response: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InHand:
    """A live claim on a task for work, as one statement found it, whose submission one more can record."""

    caller: Caller
    claim_id: str
    batch_id: str
    task_id: str
    type: str
    params: str
    wanted: int
    callback_url: str | None
    known: AnnotatorModels  # of those who attempted the task
    others: list[Other] | None  # if this is the last attempt
    evaluates: bool  # whether the task's project has evaluation tasks
    key_is_stale: bool


async def in_hand(tx: Tx, credential: HashedCredential, claim_id: str, now: int) -> InHand | None:
    """What a submission is about, on PostgreSQL; None where `submit` is to see for itself."""
    row = await fast_path_store.look(tx, credential, claim_id, now, now - teams.KEY_USE_RESOLUTION_MS)
    if row is None:
        return None
    if not tasks.rules_of(row["pipeline"], row["consensus_attempts"], row["quality"]).plain:
        return None
    is_last = row["attempts"] + 1 >= row["wanted"]
    if is_last and (row["open"] != 0 or row["attempts"] + 1 > row["wanted"]):
        return None  # a change of pipeline has left more, or fewer, slots than attempts
    if is_last and row["attempts"] and row["others"] is None:
        return None  # the attempts are large
    return InHand(
        caller=_caller(row),
        claim_id=claim_id,
        batch_id=row["batch_id"],
        task_id=row["task_id"],
        type=row["type"],
        params=row["params"],
        wanted=row["wanted"],
        callback_url=row["callback_url"],
        known=_known(row) if is_last else NO_MODELS,
        others=msgspec.json.decode(row["others"] or "[]", type=list[Other]) if is_last else None,
        evaluates=row["evaluates"],
        key_is_stale=row["stale"],
    )


def _known(row: Row) -> AnnotatorModels:
    """What is known of those who attempted the task, as `_LOOK` found it."""
    if row["questions"] is None:
        return NO_MODELS
    questions = msgspec.json.decode(row["questions"], type=list[tuple[str, str]])
    return AnnotatorModels.of(questions, msgspec.json.decode(row["people"] or "[]", type=list[tuple[str, str, str]]))


async def submit_at_once(tx: Tx, held: InHand, response: dict[str, Any], now: int) -> Submitted | None:
    """What `submit` does, in one statement, on PostgreSQL; None, with nothing done, where that cannot be.

    Raises BadInput for a response that does not fit the task, ChecksFirst where it is to be checked before.
    """
    if has_large(held.params):
        raise ChecksFirst
    params = msgspec.json.decode(held.params)
    checked = task_types.TYPES[held.type].check_response(params, response)
    text = msgspec.json.encode(checked).decode()
    completed = None
    if held.others is not None:
        responses = [*(other.response for other in held.others), checked]
        if aggregation.is_costly(held.type, params, responses):
            return None
        result = _result(held, params, held.others, checked, text)
        completed = fast_path_store.Completed(held.wanted, result, held.callback_url, tasks.AT_ONCE + 1)
    answered = fast_path_store.Answered(held.caller.team_id, held.claim_id, held.batch_id, held.task_id, text)
    try:
        row = await fast_path_store.record(tx, answered, completed, now)
    except Duplicate:
        return None
    if row is None:
        return None
    return claiming.submitted(
        held.caller, held.task_id, tasks.recorded_before(row["number"], row["wanted"], None), held.evaluates
    )


def _result(
    held: InHand, params: dict[str, Any], others: Sequence[Other], checked: dict[str, Any], text: str
) -> Result:
    if not others:
        return aggregation.aggregate_one(held.type, params, checked, text)
    judge = held.known.judge([*(other.by for other in others), held.caller.teammate_id])
    return aggregation.aggregate(held.type, params, [*(other.response for other in others), checked], judge)
