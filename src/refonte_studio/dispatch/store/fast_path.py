"""The SQL of the fast path of claims and submissions.

The long statements stand in files of their own beside this one. They decide the plain case alone, by the same
conditions as the general way (`candidates.py`, `claims.py`): where the case is not plain they change nothing.
"""

from typing import NamedTuple

import msgspec

from refonte_studio.aggregation.model import Result
from refonte_studio.callbacks.model import CallbackEvent, lane
from refonte_studio.db import Tx
from refonte_studio.db.engine import Engine
from refonte_studio.db.records import RecordReader
from refonte_studio.db.sql import load_statement
from refonte_studio.kit.caller import HashedCredential, Mode
from refonte_studio.kit.ids import new_id

CLAIM: dict[Engine, str] = {
    "sqlite": load_statement(__package__ or "", "claim_sqlite"),
    "postgresql": load_statement(__package__ or "", "claim_postgresql"),
}
SUBMISSION: dict[Engine, str] = {
    "sqlite": load_statement(__package__ or "", "submission_sqlite"),
    "postgresql": load_statement(__package__ or "", "submission_postgresql"),
}
RECORD_ATTEMPT = load_statement(__package__ or "", "record_attempt_postgresql")
COMPLETE_TASK = load_statement(__package__ or "", "complete_task_postgresql")


class FoundTask(NamedTuple):
    """The holder of a credential, and the task that comes next for them. Booleans are 0 and 1 on SQLite."""

    me: str
    team_id: str
    mode: Mode
    email: str
    role: str
    key_id: str | None
    alias_key: str
    key_is_stale: bool
    is_plain: bool
    task_id: str | None
    project_id: str
    batch_id: str
    batch: str
    has_cursor: bool
    type: str
    params: str
    project: str
    evaluates: bool
    mix: int


class HeldClaim(NamedTuple):
    """The holder of a credential, their live claim on a task for work, and the task. Models and attempts are JSON."""

    me: str
    team_id: str
    mode: Mode
    email: str
    role: str
    key_id: str | None
    alias_key: str
    key_is_stale: bool
    task_id: str
    project_id: str
    claimed_at: int
    batch_id: str
    wanted: int
    attempts: int
    open: int
    type: str
    params: str
    callback_url: str | None
    pipeline: str
    consensus_attempts: int
    quality: str | None
    evaluates: bool
    question_models: str | None
    person_models: str | None
    earlier_attempts: str | None
    more_are_pending: bool


_found_task: dict[Engine, RecordReader[FoundTask]] = {
    "sqlite": RecordReader(FoundTask),
    "postgresql": RecordReader(FoundTask),
}
_held_claim: dict[Engine, RecordReader[HeldClaim]] = {
    "sqlite": RecordReader(HeldClaim),
    "postgresql": RecordReader(HeldClaim),
}


class PlainAttempt(msgspec.Struct, frozen=True):
    """A checked response to a task for work, to be recorded. Times are in milliseconds."""

    team_id: str
    mode: Mode
    claim_id: str
    batch_id: str
    task_id: str
    project_id: str
    teammate_id: str
    number: int  # of the attempt, starting at 1
    wanted: int  # attempts that complete the task
    started_at: int
    response: str  # JSON


class Completion(msgspec.Struct, frozen=True):
    """What completes a task together with its last attempt."""

    result: Result  # of all attempts
    callback_url: str | None


def _credential(credential: HashedCredential) -> dict[str, str | None]:
    secret_hash = credential.secret_hash
    if credential.kind == "key":
        return {"key_hash": secret_hash, "token_hash": None}
    return {"key_hash": None, "token_hash": secret_hash}


async def next_plain(
    tx: Tx, credential: HashedCredential, project: str | None, batch: str | None, now: int, stale: int
) -> FoundTask | None:
    """On SQLite, the holder of a credential and the task that comes next for them; None if they may not work.

    `stale` is the latest time of last use at which a key counts as stale.
    """
    row = await tx.one(
        CLAIM["sqlite"], **_credential(credential), project_name=project, batch_name=batch, now=now, stale=stale
    )
    return _found_task["sqlite"].read(row) if row else None


async def take(
    tx: Tx,
    *,
    claim_id: str,
    team_id: str,
    mode: Mode,
    task_id: str,
    project_id: str,
    batch_id: str,
    me: str,
    now: int,
    lease_expires_at: int,
) -> None:
    """On SQLite, takes an open slot of the task that `next_plain` found and makes the claim."""
    await tx.run(
        """UPDATE task_slots SET open = open - 1
           WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id""",
        batch_id=batch_id,
        task_id=task_id,
        team_id=team_id,
    )
    await tx.run(
        """INSERT INTO claims (id, team_id, mode, task_id, project_id, batch_id, teammate_id, state, claimed_at,
             lease_expires_at)
           VALUES (:claim_id, :team_id, :mode, :task_id, :project_id, :batch_id, :me, 'held', :now,
             :lease_expires_at)""",
        claim_id=claim_id,
        team_id=team_id,
        mode=mode,
        task_id=task_id,
        project_id=project_id,
        batch_id=batch_id,
        me=me,
        now=now,
        lease_expires_at=lease_expires_at,
    )


async def claim_plain(
    tx: Tx,
    credential: HashedCredential,
    project: str | None,
    batch: str | None,
    claim: str,
    now: int,
    expires: int,
    stale: int,
) -> FoundTask | None:
    """On PostgreSQL, claims the next task for the holder of a credential; None, with nothing done, if that is not
    plain.

    Raises Duplicate, with nothing done, if the person claims twice at the same moment.
    """
    row = await tx.one(
        CLAIM["postgresql"],
        **_credential(credential),
        project_name=project,
        batch_name=batch,
        claim_id=claim,
        now=now,
        lease_expires_at=expires,
        stale=stale,
    )
    return _found_task["postgresql"].read(row) if row else None


async def submission(
    tx: Tx, credential: HashedCredential, claim: str, now: int, stale: int, inline_bytes: int
) -> HeldClaim | None:
    """The live claim of a credential's holder on a task for work, with the task; None if there is no such claim."""
    row = await tx.one(
        SUBMISSION[tx.engine],
        **_credential(credential),
        claim_id=claim,
        now=now,
        stale=stale,
        inline_bytes=inline_bytes,
    )
    return _held_claim[tx.engine].read(row) if row else None


async def record(tx: Tx, attempt: PlainAttempt, completion: Completion | None, far: int, now: int) -> int | None:
    """On PostgreSQL, records an attempt and answers its number; None, with nothing done, if that is not plain any more.

    An attempt that completes its task is not plain unless `far` tasks of its batch are pending. Raises Duplicate, with
    nothing done, if the person has attempted the task before.
    """
    values = {
        "team_id": attempt.team_id,
        "claim_id": attempt.claim_id,
        "batch_id": attempt.batch_id,
        "task_id": attempt.task_id,
        "response": attempt.response,
        "now": now,
    }
    if completion is None:
        row = await tx.one(RECORD_ATTEMPT, **values)
        return row["number"] if row else None
    row = await tx.one(
        COMPLETE_TASK,
        **values,
        wanted=attempt.wanted,
        result=completion.result.response,
        confidence=completion.result.confidence,
        agreement=completion.result.agreement,
        callback_id=new_id(now),
        url=completion.callback_url,
        lane=lane(attempt.team_id, CallbackEvent.TASK_COMPLETED, completion.callback_url or ""),
        far=far,
    )
    return row["number"] if row else None


async def insert_attempt(tx: Tx, attempt: PlainAttempt, now: int) -> None:
    """On SQLite, records the attempt and ends its claim. Raises Duplicate, with nothing done, if the person has
    attempted the task before."""
    await tx.run(
        """INSERT INTO attempts (id, team_id, mode, task_id, project_id, batch_id, teammate_id, number, wanted,
             response, started_at, submitted_at)
           VALUES (:claim_id, :team_id, :mode, :task_id, :project_id, :batch_id, :me, :number, :wanted,
             :response, :started_at, :now)""",
        claim_id=attempt.claim_id,
        team_id=attempt.team_id,
        mode=attempt.mode,
        task_id=attempt.task_id,
        project_id=attempt.project_id,
        batch_id=attempt.batch_id,
        me=attempt.teammate_id,
        number=attempt.number,
        wanted=attempt.wanted,
        response=attempt.response,
        started_at=attempt.started_at,
        now=now,
    )
    await tx.run(
        "UPDATE claims SET state = 'submitted', ended_at = :now WHERE id = :claim_id AND team_id = :team_id",
        claim_id=attempt.claim_id,
        team_id=attempt.team_id,
        now=now,
    )


async def count_attempt(tx: Tx, attempt: PlainAttempt) -> None:
    """On SQLite, counts an attempt that does not complete its task."""
    await tx.run(
        """UPDATE task_slots SET attempts = attempts + 1
           WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id""",
        batch_id=attempt.batch_id,
        task_id=attempt.task_id,
        team_id=attempt.team_id,
    )


async def complete(tx: Tx, attempt: PlainAttempt, result: Result, now: int) -> None:
    """On SQLite, completes the task of an attempt with the result of all attempts."""
    await tx.run(
        "DELETE FROM task_slots WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id",
        batch_id=attempt.batch_id,
        task_id=attempt.task_id,
        team_id=attempt.team_id,
    )
    await tx.run(
        """UPDATE tasks SET status = 'completed', response = :result, confidence = :confidence, agreement = :agreement,
             completed_at = :now, updated_at = :now
           WHERE id = :task_id AND team_id = :team_id""",
        task_id=attempt.task_id,
        team_id=attempt.team_id,
        result=result.response,
        confidence=result.confidence,
        agreement=result.agreement,
        now=now,
    )
    await tx.run(
        """INSERT INTO batch_deltas (team_id, batch_id, pending, completed, canceled)
           VALUES (:team_id, :batch_id, -1, 1, 0)""",
        team_id=attempt.team_id,
        batch_id=attempt.batch_id,
    )
