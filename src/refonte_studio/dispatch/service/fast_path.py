"""The fast path of claims and submissions: the plain case in as few statements as there can be.

On PostgreSQL a claim is one statement and a submission two, each a transaction by itself. On SQLite both run in one
transaction, together with the general way where the case is not plain.

What is not plain is left to the general way (`claiming.py`, `submitting.py`) with nothing done, so each function here
returns None for it. Plain is a task for work, in a project whose tasks are completed by a number of attempts alone, of
a batch that has more pending tasks; and nothing else that the person is to do first.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from refonte_studio import task_types
from refonte_studio.aggregation import service as aggregation
from refonte_studio.aggregation.model import NO_MODELS, AnnotatorModels, Result
from refonte_studio.db import Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.dispatch.model import Candidate, HeldTask, NeedsCheckFirst, Submitted
from refonte_studio.dispatch.policy import choices as choice_policy
from refonte_studio.dispatch.service import claiming, submitting
from refonte_studio.dispatch.service.submitting import SignIn
from refonte_studio.dispatch.store import fast_path as fast_path_store
from refonte_studio.dispatch.store.fast_path import Completion, FoundTask, HeldClaim, PlainAttempt
from refonte_studio.kit.caller import Caller, HashedCredential, Role
from refonte_studio.kit.ids import new_id
from refonte_studio.kit.names import name_key
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import TasksEnded, TaskStatus, has_large
from refonte_studio.teams import service as teams

_decode_pairs = msgspec.json.Decoder(list[tuple[str, str]]).decode
_decode_triples = msgspec.json.Decoder(list[tuple[str, str, str]]).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


# ------------------------------------------------------------------------------------------------- claims


class FastClaim(msgspec.Struct, frozen=True):
    """A claim made by one statement, and what is left to do after it."""

    task: HeldTask
    batch_id: str
    advances_cursor: bool  # whether `advance_cursor` is due
    looks_back: bool  # whether `look_back` is due
    key_is_stale: bool  # whether the use of the key is to be noted


async def claim_on_postgresql(
    tx: Tx, credential: HashedCredential, project: str | None, batch: str | None, lease_ms: int, now: int
) -> FastClaim | None:
    """Claims the next task in one statement; None, with nothing done, if the case is not plain."""
    claim_id, expires = new_id(now), now + lease_ms
    try:
        row = await fast_path_store.claim_plain(
            tx, credential, _key(project), _key(batch), claim_id, now, expires, now - teams.KEY_USE_RESOLUTION_MS
        )
    except Duplicate:  # the same person claims elsewhere at the same moment
        return None
    if row is None:
        return None
    assert row.task_id is not None, "a claim is on a task"
    candidate = _candidate(row, row.task_id)
    return FastClaim(
        _held_task(_caller(row), candidate, claim_id, now, expires),
        batch_id=row.batch_id,
        advances_cursor=choice_policy.advances_cursor(candidate.has_cursor, claim_id),
        looks_back=choice_policy.looks_back(candidate.has_cursor, claim_id),
        key_is_stale=row.key_is_stale,
    )


async def claim_on_sqlite(
    tx: Tx,
    credential: HashedCredential,
    sign_in: SignIn,
    project: str | None,
    batch: str | None,
    lease_ms: int,
    now: int,
) -> tuple[HeldTask | None, str | None]:
    """What `claiming.claim_and_pacing` returns, by the fast path if the case is plain."""
    stale = now - teams.KEY_USE_RESOLUTION_MS
    row = await fast_path_store.next_plain(tx, credential, _key(project), _key(batch), now, stale)
    is_plain = row is not None and row.is_plain
    if row is None or not is_plain or (row.task_id is None and not (project is None and batch is None)):
        return await claiming.signed_in(tx, sign_in, claiming.claim_and_pacing, project, batch, lease_ms, now)
    caller = _caller(row)
    candidate = None if row.task_id is None else _candidate(row, row.task_id)
    if candidate is None or _may_be_evaluated(caller, candidate):
        task = await claiming.claim_work_or_evaluation(tx, caller, candidate, lease_ms, now)
    else:
        task = await _take(tx, caller, candidate, lease_ms, now)
    if row.key_is_stale and row.key_id is not None:
        await teams.touch_key(tx, caller.team_id, row.key_id, now)
    return task, await claiming.paced_for(tx, caller, task)


def _may_be_evaluated(caller: Caller, candidate: Candidate) -> bool:
    """Whether an evaluation task, if one is due, comes before this task."""
    return candidate.evaluates and choice_policy.mixes_in(caller.teammate_id, candidate.task_id, candidate.mix)


async def _take(tx: Tx, caller: Caller, candidate: Candidate, lease_ms: int, now: int) -> HeldTask:
    claim_id, expires = new_id(now), now + lease_ms
    assert candidate.batch_id is not None, "a task for work is in a batch"
    await fast_path_store.take(
        tx,
        claim_id=claim_id,
        team_id=caller.team_id,
        mode=caller.mode,
        task_id=candidate.task_id,
        project_id=candidate.project_id,
        batch_id=candidate.batch_id,
        me=caller.teammate_id,
        now=now,
        lease_expires_at=expires,
    )
    await claiming.keep_walks_short(tx, caller, candidate, claim_id)
    return _held_task(caller, candidate, claim_id, now, expires)


def _key(name: str | None) -> str | None:
    return None if name is None else name_key(name)


def _caller(row: FoundTask | HeldClaim) -> Caller:
    return Caller(row.team_id, row.me, row.email, Role(row.role), row.mode, row.key_id, alias_key=row.alias_key)


def _candidate(row: FoundTask, task_id: str) -> Candidate:
    return Candidate(
        task_id=task_id,
        project_id=row.project_id,
        batch_id=row.batch_id,
        kind="work",
        type=row.type,
        params=row.params,
        project=row.project,
        batch=row.batch,
        has_cursor=bool(row.has_cursor),
        mix=row.mix,
        evaluates=bool(row.evaluates),
    )


def _held_task(caller: Caller, candidate: Candidate, claim_id: str, now: int, expires: int) -> HeldTask:
    claim = claiming.claimed(caller, candidate, claim_id, now, expires)
    return HeldTask(caller, claim, candidate.type, candidate.project, candidate.batch, candidate.params)


# -------------------------------------------------------------------------------------------- submissions


class EarlierAttempts(msgspec.Struct, frozen=True):
    """The attempts of a task before its last one, in their order, and what is known of the people."""

    people: Sequence[str]
    responses: Sequence[str]  # JSON
    models: AnnotatorModels  # of the one who submits, too


class Submission(msgspec.Struct, frozen=True):
    """What a submission is about: a live claim on a task for work, and that task."""

    caller: Caller
    claim_id: str
    task_id: str
    project_id: str
    batch_id: str
    claimed_at: int
    type: str
    params: str  # JSON
    callback_url: str | None
    wanted: int
    attempts: int  # before this one
    earlier: EarlierAttempts | None  # None: this attempt does not complete the task
    evaluates: bool  # whether the task's project has evaluation tasks
    key_is_stale: bool


class SubmissionDecision(msgspec.Struct, frozen=True):
    """What a submission comes to: its attempt, and what completes the task if this is the last one."""

    attempt: PlainAttempt
    completion: Completion | None


async def submit_on_sqlite(
    tx: Tx, credential: HashedCredential, sign_in: SignIn, claim_id: str, response: dict[str, Any], now: int
) -> Submitted:
    """What `submitting.submit` does, by the fast path if the case is plain."""
    context = await read_submission(tx, credential, claim_id, now)
    decision = decide(context, response) if context is not None else None
    if context is None or decision is None or not await _write(tx, context.caller, decision, now):
        return await claiming.signed_in(tx, sign_in, submitting.submit, claim_id, response, now)
    if context.key_is_stale and context.caller.key_id is not None:
        await teams.touch_key(tx, context.caller.team_id, context.caller.key_id, now)
    return submission_result(context, decision.attempt.number)


async def read_submission(tx: Tx, credential: HashedCredential, claim_id: str, now: int) -> Submission | None:
    """What a submission is about; None if the case is not plain. Changes nothing."""
    row = await fast_path_store.submission(
        tx, credential, claim_id, now, now - teams.KEY_USE_RESOLUTION_MS, aggregation.INLINE_CHARACTERS
    )
    if row is None or not tasks.rules_of(row.pipeline, row.consensus_attempts, row.quality).plain:
        return None
    attempts, wanted = row.attempts, row.wanted
    earlier = None
    if attempts + 1 >= wanted:
        if row.open != 0 or attempts + 1 > wanted:
            return None  # a change of pipeline has left more, or fewer, slots than attempts
        if attempts and row.earlier_attempts is None:
            return None  # they are large
        if tx.engine == "sqlite" and not row.more_are_pending:
            return None  # the batch may be completed
        earlier = _earlier(row)
    return Submission(
        caller=_caller(row),
        claim_id=claim_id,
        task_id=row.task_id,
        project_id=row.project_id,
        batch_id=row.batch_id,
        claimed_at=row.claimed_at,
        type=row.type,
        params=row.params,
        callback_url=row.callback_url,
        wanted=wanted,
        attempts=attempts,
        earlier=earlier,
        evaluates=bool(row.evaluates),
        key_is_stale=bool(row.key_is_stale),
    )


def _earlier(row: HeldClaim) -> EarlierAttempts:
    attempts = _decode_pairs(row.earlier_attempts) if row.earlier_attempts else []
    models = NO_MODELS
    if row.question_models:
        people = _decode_triples(row.person_models) if row.person_models else []
        models = AnnotatorModels.of(_decode_pairs(row.question_models), people)
    return EarlierAttempts([person for person, _ in attempts], [response for _, response in attempts], models)


def decide(context: Submission, response: dict[str, Any]) -> SubmissionDecision | None:
    """Checks the response and decides what comes of it; None if the result costs too much to be made here.

    Raises BadInput for a response that does not fit the task, NeedsCheckFirst for one to be checked beforehand.
    """
    if has_large(context.params):
        raise NeedsCheckFirst
    params = _decode_object(context.params)
    checked = task_types.TYPES[context.type].check_response(params, response)
    text = _encode(checked).decode()
    attempt = PlainAttempt(
        team_id=context.caller.team_id,
        mode=context.caller.mode,
        claim_id=context.claim_id,
        batch_id=context.batch_id,
        task_id=context.task_id,
        project_id=context.project_id,
        teammate_id=context.caller.teammate_id,
        number=context.attempts + 1,
        wanted=context.wanted,
        started_at=context.claimed_at,
        response=text,
    )
    if context.earlier is None:
        return SubmissionDecision(attempt, None)
    result = _result(context, context.earlier, params, checked, text)
    return None if result is None else SubmissionDecision(attempt, Completion(result, context.callback_url))


def _result(
    context: Submission, earlier: EarlierAttempts, params: dict[str, Any], checked: dict[str, Any], text: str
) -> Result | None:
    """The result of all attempts; None if it costs too much to be made here."""
    if not earlier.people and earlier.models is NO_MODELS:
        return aggregation.aggregate_one(context.type, params, checked, text)
    responses = [*map(_decode_object, earlier.responses), checked]
    if aggregation.is_costly(context.type, params, responses):
        return None
    judge = earlier.models.judge([*earlier.people, context.caller.teammate_id])
    return aggregation.aggregate(context.type, params, responses, judge)


async def record_on_postgresql(tx: Tx, decision: SubmissionDecision, now: int) -> int | None:
    """Records the attempt in one statement and returns its number; None, with nothing done, if the case is not plain
    any more."""
    try:
        return await fast_path_store.record(tx, decision.attempt, decision.completion, tasks.AT_ONCE + 1, now)
    except Duplicate:
        return None


async def _write(tx: Tx, caller: Caller, decision: SubmissionDecision, now: int) -> bool:
    """Records the attempt on SQLite, where nothing can have changed since the context was read; False, with nothing
    done, if the person has attempted the task before."""
    attempt, completion = decision.attempt, decision.completion
    try:
        await fast_path_store.insert_attempt(tx, attempt, now)
    except Duplicate:
        return False
    if completion is None:
        await fast_path_store.count_attempt(tx, attempt)
        return True
    await fast_path_store.complete(tx, attempt, completion.result, now)
    if completion.callback_url is not None:
        urls = {attempt.task_id: completion.callback_url}
        ended = TasksEnded(
            attempt.team_id, caller.mode, (attempt.task_id,), urls, TaskStatus.COMPLETED, now, held=False
        )
        await tx.tell(ended)
    return True


def submission_result(context: Submission, number: int) -> Submitted:
    """The result of a submission, which is the attempt of this number."""
    recorded = tasks.recorded_before(number, context.wanted, None)
    return submitting.submitted(context.caller, context.task_id, recorded, context.evaluates)
