"""The SQL of claims and of dispatch.

Lock order, everywhere: the row of the task, then of the claim, then of the batch.
"""

from collections.abc import Sequence

from refonte_studio.db import Row, Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.work.model import Candidate, Claim, ClaimState

_CLAIM = """c.id, c.team_id, c.task_id, c.project_id, c.batch_id, c.teammate_id, c.state, c.claimed_at,
    c.lease_expires_at"""

# The claim that keeps a person (:me) from a task (t), if there is one.
TAKEN = """SELECT 1 FROM claims c WHERE c.task_id = t.id AND c.teammate_id = :me
    AND c.state IN ('held', 'submitted', 'skipped')"""

# The batches that a person may work, in the order of the queue. Batches outside of Studio have no place in it and
# come after, oldest first. Without the limit SQLite would drop the order, thinking it useless inside of a join.
OPEN_BATCHES = """
    SELECT b.id, b.project_id, b.name
    FROM assignments a JOIN batches b ON b.project_id = a.project_id
    WHERE a.teammate_id = :me AND b.team_id = :team AND b.mode = :mode AND b.state = 'in_progress'
      AND (CAST(:project AS TEXT) IS NULL OR b.project_id = :project)
      AND (CAST(:batch AS TEXT) IS NULL OR b.id = :batch)
      AND (NOT EXISTS (SELECT 1 FROM batch_groups g WHERE g.batch_id = b.id)
        OR EXISTS (SELECT 1 FROM batch_groups g JOIN group_members m ON m.group_id = g.group_id
                   WHERE g.batch_id = b.id AND m.teammate_id = :me))
    ORDER BY (b.position IS NULL), b.position, b.id
    LIMIT 100000"""

# The first open task of each open batch that this person may have; only tasks for work have places. The engines differ
# in how a row of the outer query reaches the inner one, and in that PostgreSQL must lock what it picks.
_FIRST_OPEN = f"""SELECT t.id FROM tasks t
    WHERE t.team_id = :team AND t.batch_id = o.id AND t.open_places > 0
      AND NOT EXISTS ({TAKEN})
    ORDER BY t.id LIMIT 1"""
_NEXT = {
    "sqlite": f"""WITH o AS MATERIALIZED ({OPEN_BATCHES})
        SELECT n.id, o.project_id, o.id AS batch_id
        FROM o CROSS JOIN tasks n WHERE n.id = ({_FIRST_OPEN}) LIMIT 1""",
    "postgresql": f"""WITH o AS MATERIALIZED ({OPEN_BATCHES})
        SELECT n.id, o.project_id, o.id AS batch_id
        FROM o CROSS JOIN LATERAL ({_FIRST_OPEN} FOR UPDATE {{wait}}) n
        LIMIT 1""",
}


def _claim(row: Row) -> Claim:
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
    )


async def held_and_due(tx: Tx, caller: Caller, now: int) -> tuple[Claim | None, bool]:
    """What the person holds, if anything, and whether any lease in the database has run out."""
    row = await tx.one(
        f"""SELECT {_CLAIM},
              EXISTS (SELECT 1 FROM claims d WHERE d.state = 'held' AND d.lease_expires_at <= :now) AS due
            FROM (SELECT 1 AS one) AS x
            LEFT JOIN claims c ON c.teammate_id = :me AND c.mode = :mode AND c.state = 'held'""",
        me=caller.teammate_id,
        mode=caller.mode,
        now=now,
    )
    assert row is not None
    return (_claim(row) if row["id"] else None), bool(row["due"])


async def next_training(tx: Tx, caller: Caller, project_id: str | None) -> Candidate | None:
    """The oldest training task that the person still owes one of their projects."""
    # apart, lest PostgreSQL look for the first of few training tasks by going through all tasks in their order
    row = await tx.one(
        f"""WITH training AS MATERIALIZED (
              SELECT t.id, t.project_id FROM assignments a CROSS JOIN tasks t
              WHERE a.teammate_id = :me AND t.project_id = a.project_id AND t.kind = 'training' AND t.kind <> 'work'
                AND t.team_id = :team AND t.mode = :mode AND t.status = 'pending'
                AND (CAST(:project AS TEXT) IS NULL OR t.project_id = :project))
            SELECT t.id, t.project_id FROM training t WHERE NOT EXISTS ({TAKEN}) ORDER BY t.id LIMIT 1""",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        project=project_id,
    )
    return Candidate(row["id"], row["project_id"], None, "training") if row else None


async def next_open(
    tx: Tx, caller: Caller, project_id: str | None, batch_id: str | None, *, wait: bool
) -> Candidate | None:
    """The next task in the order of dispatch, locked. Without `wait`, tasks that others have just locked are passed."""
    sql = _NEXT[tx.engine].format(wait="" if wait else "SKIP LOCKED")
    row = await tx.one(
        sql, me=caller.teammate_id, team=caller.team_id, mode=caller.mode, project=project_id, batch=batch_id
    )
    return Candidate(row["id"], row["project_id"], row["batch_id"], "work") if row else None


# Evaluation tasks that the person is due: of a project they are assigned to, and of no batch, or of one that is
# finalized and open to them. SQLite takes a partial index only for the index's own condition, so "<> 'work'" is said
# beside "= 'evaluation'".
EVALUATION_DUE = f"""t.kind = 'evaluation' AND t.kind <> 'work' AND t.status = 'pending'
    AND t.team_id = :team AND t.mode = :mode AND NOT EXISTS ({TAKEN})
    AND (t.batch_id IS NULL OR EXISTS (
      SELECT 1 FROM batches b WHERE b.id = t.batch_id AND b.state <> 'staging'
        AND (NOT EXISTS (SELECT 1 FROM batch_groups g WHERE g.batch_id = b.id)
          OR EXISTS (SELECT 1 FROM batch_groups g JOIN group_members m ON m.group_id = g.group_id
                     WHERE g.batch_id = b.id AND m.teammate_id = :me))))"""


async def next_evaluation(tx: Tx, caller: Caller, project_id: str | None, batch_id: str | None) -> Candidate | None:
    """The oldest evaluation task that the person is due: of these, or of any project and batch."""
    row = await tx.one(
        f"""WITH evaluation AS MATERIALIZED (
              SELECT t.id, t.project_id, t.batch_id FROM assignments a CROSS JOIN tasks t
              WHERE a.teammate_id = :me AND t.project_id = a.project_id AND {EVALUATION_DUE}
                AND (CAST(:project AS TEXT) IS NULL OR t.project_id = :project)
                AND (CAST(:batch AS TEXT) IS NULL OR t.batch_id IS NULL OR t.batch_id = :batch))
            SELECT id, project_id, batch_id FROM evaluation ORDER BY id LIMIT 1""",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        project=project_id,
        batch=batch_id,
    )
    return Candidate(row["id"], row["project_id"], row["batch_id"], "evaluation") if row else None


async def last_batch(tx: Tx, caller: Caller, project_id: str) -> str | None:
    """The batch of this project that the person worked last."""
    row = await tx.one(
        """SELECT batch_id FROM attempts WHERE teammate_id = :me AND team_id = :team AND project_id = :project
             AND batch_id IS NOT NULL ORDER BY id DESC LIMIT 1""",
        me=caller.teammate_id,
        team=caller.team_id,
        project=project_id,
    )
    return row["batch_id"] if row else None


async def first_open_batch(tx: Tx, caller: Caller, project_id: str) -> str | None:
    """The batch of this project whose turn is next for this person."""
    row = await tx.one(
        f"WITH o AS MATERIALIZED ({OPEN_BATCHES}) SELECT o.id FROM o LIMIT 1",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        project=project_id,
        batch=None,
    )
    return row["id"] if row else None


async def hold_assignment(tx: Tx, caller: Caller, project_id: str) -> bool:
    """Whether the person is assigned to the project; nobody can unassign them until this transaction ends."""
    row = await tx.one(
        "SELECT 1 AS one FROM assignments WHERE teammate_id = :me AND project_id = :project FOR KEY SHARE",
        me=caller.teammate_id,
        project=project_id,
    )
    return row is not None


async def insert_claim(tx: Tx, caller: Caller, candidate: Candidate, claim_id: str, now: int, expires: int) -> bool:
    """Makes the claim; False if the person has been disabled, holds another, or has had this task."""
    row = await tx.one(
        """INSERT INTO claims (id, team_id, mode, task_id, project_id, batch_id, teammate_id, state, claimed_at,
             lease_expires_at)
           SELECT :id, :team, :mode, :task, :project, :batch, t.id, 'held', :now, :expires
           FROM teammates t WHERE t.id = :me AND t.team_id = :team AND t.state = 'active'
           ON CONFLICT DO NOTHING
           RETURNING id""",
        id=claim_id,
        team=caller.team_id,
        mode=caller.mode,
        task=candidate.task_id,
        project=candidate.project_id,
        batch=candidate.batch_id,
        me=caller.teammate_id,
        now=now,
        expires=expires,
    )
    return row is not None


async def take_place(tx: Tx, team_id: str, task_id: str) -> bool:
    """Takes one of a task's open places; False if there is none any more."""
    return bool(
        await tx.run(
            """UPDATE tasks SET open_places = open_places - 1
               WHERE id = :task AND team_id = :team AND open_places > 0 AND status = 'pending'""",
            task=task_id,
            team=team_id,
        )
    )


async def give_back_place(tx: Tx, team_id: str, task_id: str, places: int = 1) -> None:
    """Opens places that had been taken, unless the task has ended. Locks the task's row."""
    await tx.run(
        """UPDATE tasks SET open_places = open_places + CASE WHEN kind = 'work' THEN :places ELSE 0 END
           WHERE id = :task AND team_id = :team AND status = 'pending'""",
        task=task_id,
        team=team_id,
        places=places,
    )


async def task_and_names(tx: Tx, claim: Claim) -> Row:
    """The claimed task's type and parameters, and the names of its project and batch."""
    row = await tx.one(
        """SELECT t.type, t.params, t.kind, p.name AS project, b.name AS batch
           FROM tasks t JOIN projects p ON p.id = t.project_id LEFT JOIN batches b ON b.id = :batch
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
        f"""SELECT {_CLAIM} FROM claims c
            WHERE c.id = :id AND c.team_id = :team AND c.teammate_id = :me AND c.mode = :mode""",
        id=claim_id,
        team=caller.team_id,
        me=caller.teammate_id,
        mode=caller.mode,
    )
    return _claim(row) if row else None


async def recorded(tx: Tx, claim: Claim) -> Row:
    """The attempt that a submitted claim became, and what its response was checked against."""
    row = await tx.one(
        """SELECT a.number, a.wanted, a.response, t.type, t.params FROM attempts a JOIN tasks t ON t.id = a.task_id
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
    """Held claims whose lease has run out, the oldest first."""
    rows = await tx.all(
        f"""SELECT {_CLAIM} FROM claims c WHERE c.state = 'held' AND c.lease_expires_at <= :now
            ORDER BY c.lease_expires_at, c.id LIMIT :limit""",
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


async def bar_claims_of(tx: Tx, teammate_ids: Sequence[str]) -> None:
    """Waits for claims that these people are making just now, and keeps them from making more until the commit."""
    await tx.all(
        "SELECT 1 AS one FROM assignments WHERE teammate_id IN :people[] ORDER BY teammate_id, project_id FOR UPDATE",
        people=list(teammate_ids),
    )


async def lock_tasks(tx: Tx, task_ids: Sequence[str]) -> None:
    """Locks the rows of these tasks, in the order that everybody keeps."""
    await tx.all("SELECT id FROM tasks WHERE id IN :tasks[] ORDER BY id FOR UPDATE", tasks=list(task_ids))


async def move_held(tx: Tx, claim_ids: Sequence[str], state: ClaimState, now: int, until: int | None) -> Sequence[Row]:
    """Moves those of the claims that are still held (and, with `until`, not extended beyond it); answers those."""
    return await tx.all(
        f"""UPDATE claims SET state = :state, ended_at = :now WHERE id IN :claims[] AND state = 'held'
            {"" if until is None else "AND lease_expires_at <= :until"} RETURNING team_id, task_id""",
        claims=list(claim_ids),
        state=state.value,
        now=now,
        **({} if until is None else {"until": until}),
    )


async def end_claims_on(tx: Tx, team_id: str, task_ids: Sequence[str], now: int) -> None:
    """Ends every claim on these tasks."""
    await tx.run(
        """UPDATE claims SET state = 'ended', ended_at = :now
           WHERE team_id = :team AND task_id IN :tasks[] AND state = 'held'""",
        team=team_id,
        tasks=list(task_ids),
        now=now,
    )
