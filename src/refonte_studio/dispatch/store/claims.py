"""The SQL of claims.

Lock order, everywhere: the row of a task's slots, then of the claim, then of the batch. A claim locks the person's
assignment after the slots; disabling somebody has it the other way round, and is tried again if that collides.
"""

from collections.abc import Mapping, Sequence

import msgspec

from refonte_studio.db import Row, Tx
from refonte_studio.db.commit_order import COMMIT_NUMBER
from refonte_studio.dispatch.model import Candidate, Claim, ClaimState
from refonte_studio.dispatch.store.candidates import FIRST_LEASE
from refonte_studio.kit.caller import Caller
from refonte_studio.tasks.model import Attempt, Task

# While a claim is held, its rework item can only be taken away, by a transaction that has locked the task's slots. So
# whoever moves the claim on reads it again once they are locked.
_CLAIM = """c.id, c.team_id, c.task_id, c.project_id, c.batch_id, c.teammate_id, c.state, c.claimed_at,
    c.lease_expires_at, EXISTS (SELECT 1 FROM rework_items d WHERE d.teammate_id = c.teammate_id
      AND d.task_id = c.task_id AND d.team_id = c.team_id) AS is_rework"""
_EVALUATES = """(SELECT j.evaluates FROM projects j WHERE j.id = c.project_id AND j.team_id = c.team_id) AS evaluates"""
_SUBMITTED = (
    *("id", "team_id", "mode", "task_id", "project_id", "batch_id", "teammate_id", "state"),
    *("claimed_at", "lease_expires_at", "ended_at"),
)


def _claim(row: Row, evaluates: bool = False) -> Claim:
    return Claim(
        id=row["id"],
        team_id=row["team_id"],
        task_id=row["task_id"],
        project_id=row["project_id"],
        batch_id=row["batch_id"],
        teammate_id=row["teammate_id"],
        state=ClaimState(row["state"]),
        claimed_at=row["claimed_at"],
        lease_expires_at=row["lease_expires_at"],
        is_rework=bool(row["is_rework"]),
        evaluates=evaluates,
    )


async def held_and_due(tx: Tx, caller: Caller, now: int) -> tuple[Claim | None, bool]:
    """What the person holds, if anything, and whether any lease of their team has run out."""
    row = await tx.one(
        f"""SELECT {_CLAIM}, {_EVALUATES},
              COALESCE({FIRST_LEASE} <= :now, FALSE) AS due
            FROM (SELECT 1 AS one) AS x
            LEFT JOIN claims c ON c.teammate_id = :me AND c.mode = :mode AND c.state = 'held' AND c.team_id = :team""",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        now=now,
    )
    assert row is not None
    return (_claim(row, bool(row["evaluates"])) if row["id"] else None), bool(row["due"])


async def insert_claim(tx: Tx, caller: Caller, candidate: Candidate, claim_id: str, now: int, expires: int) -> bool:
    """Makes the claim; False if the person has been disabled, unassigned or paused, holds another, has had this task,
    or has it to do again since it was looked for, or not any more.

    Nobody can unassign, pause or disable them until this transaction ends.
    """
    row = await tx.one(
        """INSERT INTO claims (id, team_id, mode, task_id, project_id, batch_id, teammate_id, state, claimed_at,
             lease_expires_at)
           SELECT :id, :team, :mode, :task, :project, :batch, t.id, 'held', :now, :expires
           FROM teammates t CROSS JOIN (
             SELECT 1 AS one FROM assignments a
             WHERE a.teammate_id = :me AND a.project_id = :project AND a.team_id = :team AND a.paused_at IS NULL
               AND NOT a.archived
             FOR SHARE) AS assigned
           WHERE t.id = :me AND t.team_id = :team AND t.state = 'active'
             AND :is_rework = EXISTS (SELECT 1 FROM rework_items d
               WHERE d.teammate_id = :me AND d.task_id = :task AND d.team_id = :team)
           ON CONFLICT DO NOTHING
           RETURNING id""",
        id=claim_id,
        team=caller.team_id,
        mode=caller.mode,
        task=candidate.task_id,
        project=candidate.project_id,
        batch=candidate.batch_id,
        me=caller.teammate_id,
        is_rework=candidate.is_rework,
        now=now,
        expires=expires,
    )
    return row is not None


async def insert_submitted(tx: Tx, tasks: Mapping[str, Task], attempts: Sequence[Attempt]) -> None:
    """Claims that were never held here: of attempts that were made elsewhere."""
    state = ClaimState.SUBMITTED.value
    rows = [
        (
            *(each.id, task.team_id, task.mode, task.id, task.project_id, task.batch_id, each.teammate_id, state),
            *(each.started_at, each.submitted_at, each.submitted_at),
        )
        for each in attempts
        for task in (tasks[each.task_id],)
    ]
    await tx.insert("claims", _SUBMITTED, rows)


async def take_slot(tx: Tx, team_id: str, batch_id: str, task_id: str) -> bool:
    """Takes one of a task's open slots; False if there is none any more."""
    return bool(
        await tx.run(
            """UPDATE task_slots SET open = open - 1
               WHERE batch_id = :batch AND task_id = :task AND team_id = :team AND open > 0""",
            batch=batch_id,
            task=task_id,
            team=team_id,
        )
    )


async def give_back_slots(tx: Tx, team_id: str, batch_ids: Sequence[str], task_ids: Sequence[str], each: int) -> None:
    """Opens `each` slots of each task that has not ended, and locks the rows. The same people may take them again.

    Quality tasks have no slots in a batch, so nothing is opened for them.
    """
    await tx.run(
        f"""UPDATE task_slots SET open = open + :each, opened = {COMMIT_NUMBER[tx.engine]}
            WHERE batch_id IN :batches[] AND task_id IN :tasks[] AND team_id = :team""",
        batches=list(batch_ids),
        tasks=list(task_ids),
        team=team_id,
        each=each,
    )


async def give_up_slot(tx: Tx, team_id: str, batch_id: str, task_id: str) -> None:
    """Opens the slot of one who will not have it again, for others. Locks the row.

    News to anybody only where no slot was open: whoever has come past one that was has had the task.
    """
    await tx.run(
        f"""UPDATE task_slots SET open = open + 1,
              opened = CASE WHEN open > 0 THEN opened ELSE {COMMIT_NUMBER[tx.engine]} END
            WHERE batch_id = :batch AND task_id = :task AND team_id = :team""",
        batch=batch_id,
        task=task_id,
        team=team_id,
    )


async def task_and_names(tx: Tx, claim: Claim) -> Row:
    """The claimed task's type and parameters, and the names of its project and batch."""
    row = await tx.one(
        """SELECT t.type, t.params, t.kind, p.name AS project, b.name AS batch
           FROM tasks t JOIN projects p ON p.id = t.project_id AND p.team_id = t.team_id
           LEFT JOIN batches b ON b.id = :batch AND b.team_id = t.team_id
           WHERE t.id = :task AND t.team_id = :team""",
        task=claim.task_id,
        team=claim.team_id,
        batch=claim.batch_id,
    )
    assert row is not None, f"claim {claim.id} is on a task that does not exist"
    return row


async def claim_of(tx: Tx, caller: Caller, claim_id: str) -> Claim | None:
    """A claim of this person, in any state."""
    row = await tx.one(
        f"""SELECT {_CLAIM}, {_EVALUATES} FROM claims c
            WHERE c.id = :id AND c.team_id = :team AND c.teammate_id = :me AND c.mode = :mode""",
        id=claim_id,
        team=caller.team_id,
        me=caller.teammate_id,
        mode=caller.mode,
    )
    return _claim(row, bool(row["evaluates"])) if row else None


async def recorded(tx: Tx, claim: Claim) -> Row:
    """The attempt that a submitted claim became, and what its response was checked against."""
    row = await tx.one(
        """SELECT a.number, a.wanted, a.response, t.type, t.params, j.quality FROM attempts a
           JOIN tasks t ON t.id = a.task_id AND t.team_id = a.team_id
           JOIN projects j ON j.id = t.project_id AND j.team_id = t.team_id
           WHERE a.id = :id AND a.team_id = :team""",
        id=claim.id,
        team=claim.team_id,
    )
    assert row is not None, f"claim {claim.id} was submitted without an attempt"
    return row


async def move(tx: Tx, claim: Claim, state: ClaimState, now: int, reason: str | None = None) -> bool:
    """Moves a held claim on; False if somebody got there first."""
    return bool(
        await tx.run(
            """UPDATE claims SET state = :state, ended_at = :now, reason = :reason
               WHERE id = :id AND team_id = :team AND state = 'held'""",
            id=claim.id,
            team=claim.team_id,
            state=state.value,
            now=now,
            reason=reason,
        )
    )


async def retake(tx: Tx, claim: Claim) -> None:
    """Makes the task of a submitted claim the same person's to do again."""
    await tx.run(
        "UPDATE claims SET state = 'retaken' WHERE id = :id AND team_id = :team AND state = 'submitted'",
        id=claim.id,
        team=claim.team_id,
    )


async def retake_training(tx: Tx, team_id: str, teammate_ids: Sequence[str], project_ids: Sequence[str]) -> None:
    """Makes the training tasks of these projects that these people have not passed theirs to do again."""
    await tx.run(
        """UPDATE claims SET state = CASE state WHEN 'skipped' THEN 'released' ELSE 'retaken' END
           WHERE team_id = :team AND teammate_id IN :people[] AND state IN ('submitted', 'skipped')
             AND state IN ('held', 'submitted', 'skipped')
             AND task_id IN (SELECT t.id FROM tasks t
               WHERE t.project_id IN :projects[] AND t.kind = 'training' AND t.kind <> 'work' AND t.team_id = :team)
             AND NOT EXISTS (SELECT 1 FROM quality_attempts q
               WHERE q.task_id = claims.task_id AND q.teammate_id = claims.teammate_id AND q.team_id = :team
                 AND q.passed)""",
        team=team_id,
        people=list(teammate_ids),
        projects=list(project_ids),
    )


async def is_evaluated(tx: Tx, caller: Caller) -> bool:
    """Whether the person is assigned to a project that has evaluation tasks."""
    row = await tx.one(
        """SELECT 1 AS one FROM assignments a JOIN projects p ON p.id = a.project_id AND p.team_id = a.team_id
           WHERE a.teammate_id = :me AND a.team_id = :team AND p.mode = :mode AND p.evaluates LIMIT 1""",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
    )
    return row is not None


async def extend(tx: Tx, claim: Claim, expires: int) -> bool:
    """Renews the lease of a held claim."""
    return bool(
        await tx.run(
            "UPDATE claims SET lease_expires_at = :expires WHERE id = :id AND team_id = :team AND state = 'held'",
            id=claim.id,
            team=claim.team_id,
            expires=expires,
        )
    )


async def due(tx: Tx, now: int, limit: int) -> list[Claim]:
    """Held claims of every team whose lease has run out, the oldest first."""
    rows = await tx.all(
        f"""SELECT {_CLAIM} FROM claims c WHERE c.state = 'held' AND c.lease_expires_at <= :now
            ORDER BY c.lease_expires_at, c.id LIMIT :limit""",
        now=now,
        limit=limit,
    )
    return [_claim(row) for row in rows]


async def due_of_team(tx: Tx, team_id: str, now: int, limit: int) -> list[Claim]:
    """Held claims of one team whose lease has run out, the oldest first."""
    rows = await tx.all(
        f"""SELECT {_CLAIM} FROM claims c WHERE c.state = 'held' AND c.team_id = :team AND c.lease_expires_at <= :now
            ORDER BY c.lease_expires_at, c.id LIMIT :limit""",
        team=team_id,
        now=now,
        limit=limit,
    )
    return [_claim(row) for row in rows]


async def held_by(tx: Tx, team_id: str, teammate_ids: Sequence[str], project_ids: Sequence[str] | None) -> list[Claim]:
    """The claims that these people hold, in these projects or in all."""
    rows = await tx.all(
        f"""SELECT {_CLAIM} FROM claims c
            WHERE c.state = 'held' AND c.team_id = :team AND c.teammate_id IN :people[]
            {"" if project_ids is None else "AND c.project_id IN :projects[]"}""",
        team=team_id,
        people=list(teammate_ids),
        **({} if project_ids is None else {"projects": list(project_ids)}),
    )
    return [_claim(row) for row in rows]


async def lock_slots(tx: Tx, claims: Sequence[Claim]) -> None:
    """Locks the slots of the tasks that these claims are on, in the order that everybody keeps."""
    await tx.all(
        """SELECT task_id FROM task_slots WHERE batch_id IN :batches[] AND task_id IN :tasks[] AND team_id IN :teams[]
           ORDER BY batch_id, task_id FOR UPDATE""",
        teams=sorted({claim.team_id for claim in claims}),
        batches=sorted({claim.batch_id for claim in claims if claim.batch_id is not None}),
        tasks=sorted({claim.task_id for claim in claims}),
    )


async def move_held(tx: Tx, held: Sequence[Claim], state: ClaimState, now: int, until: int | None) -> list[Claim]:
    """Moves those of the claims that are still held (and, with `until`, not extended beyond it); answers those, as they
    are now that their slots are locked: whether a task is to be done again may have changed since they were read."""
    rows = await tx.all(
        f"""UPDATE claims SET state = :state, ended_at = :now
            WHERE id IN :claims[] AND team_id IN :teams[] AND state = 'held'
            {"" if until is None else "AND lease_expires_at <= :until"}
            RETURNING id, EXISTS (SELECT 1 FROM rework_items d WHERE d.teammate_id = claims.teammate_id
              AND d.task_id = claims.task_id AND d.team_id = claims.team_id) AS is_rework""",
        claims=[claim.id for claim in held],
        teams=sorted({claim.team_id for claim in held}),
        state=state.value,
        now=now,
        **({} if until is None else {"until": until}),
    )
    is_rework = {row["id"]: bool(row["is_rework"]) for row in rows}
    return [msgspec.structs.replace(claim, is_rework=is_rework[claim.id]) for claim in held if claim.id in is_rework]


async def end_claims_on(tx: Tx, team_id: str, task_ids: Sequence[str], now: int) -> None:
    """Ends every claim on these tasks."""
    await tx.run(
        """UPDATE claims SET state = 'ended', ended_at = :now
           WHERE team_id = :team AND task_id IN :tasks[] AND state = 'held'""",
        team=team_id,
        tasks=list(task_ids),
        now=now,
    )
