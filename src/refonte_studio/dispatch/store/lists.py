"""The SQL of what a person sees of their work: what is waiting, and what they have done."""

from refonte_studio.db import Tx
from refonte_studio.dispatch.model import OwnAttempt, QualityWaiting, Waiting, default_batch_name
from refonte_studio.dispatch.store.candidates import (
    AHEAD,
    BEHIND,
    BY_QUEUE,
    CURSOR,
    EVALUATION_DUE,
    NOT_THEIR_OWN,
    OPEN_BATCH,
    taken,
)
from refonte_studio.kit.caller import Caller


async def waiting(tx: Tx, caller: Caller, limit: int) -> list[Waiting]:
    """How many tasks for work the person could claim, by batch in the order of the queue; counted up to a limit. Those
    that they have to do again are among them."""
    rows = await tx.all(
        f"""SELECT p.name AS project, b.name AS batch,
              (SELECT COUNT(*) FROM (
                 {BEHIND[tx.engine]} UNION ALL {AHEAD[tx.engine]} LIMIT :limit) AS few)
              + (SELECT COUNT(*) FROM rework_items d
                 WHERE d.teammate_id = :me AND d.batch_id = b.id AND d.team_id = :team
                   AND NOT EXISTS ({taken("d.task_id")})) AS tasks
            FROM batches b JOIN projects p ON p.id = b.project_id AND p.team_id = b.team_id {CURSOR}
            WHERE {OPEN_BATCH} {BY_QUEUE}""",
        limit=limit,
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        project=None,
        batch=None,
    )
    return [Waiting(row["project"], row["batch"], row["tasks"]) for row in rows]


async def quality_waiting(tx: Tx, caller: Caller) -> list[QualityWaiting]:
    """How many training and evaluation tasks the person is due, by project and batch."""
    rows = await tx.all(
        f"""SELECT p.name AS project, o.name AS batch,
              (SELECT l.name FROM attempts h JOIN batches l ON l.id = h.batch_id AND l.team_id = h.team_id
               WHERE h.teammate_id = :me AND h.team_id = :team AND h.project_id = p.id
               ORDER BY h.id DESC LIMIT 1) AS last_batch,
              count(*) AS tasks
            FROM assignments a JOIN projects p ON p.id = a.project_id AND p.team_id = a.team_id
            JOIN tasks t ON t.project_id = p.id AND t.team_id = a.team_id
            LEFT JOIN batches o ON o.id = t.batch_id AND o.team_id = t.team_id
            WHERE a.teammate_id = :me AND a.team_id = :team AND a.paused_at IS NULL AND NOT a.archived
              AND t.kind <> 'work' AND (({EVALUATION_DUE})
              OR (t.kind = 'training' AND t.status = 'pending' AND t.team_id = :team AND t.mode = :mode
                AND NOT EXISTS ({taken("t.id")}) AND {NOT_THEIR_OWN}))
            GROUP BY p.id, p.name, o.name ORDER BY p.name, o.name""",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
    )
    return [QualityWaiting(row["project"], row["batch"], row["last_batch"], row["tasks"]) for row in rows]


async def history(tx: Tx, caller: Caller, limit: int, before: str | None) -> list[OwnAttempt]:
    """The person's own attempts, the newest first."""
    rows = await tx.all(
        """SELECT a.id, a.task_id, a.submitted_at, a.response, t.type, p.name AS project, b.name AS batch
           FROM attempts a JOIN claims c ON c.id = a.id AND c.team_id = a.team_id
           JOIN tasks t ON t.id = a.task_id AND t.team_id = a.team_id
           JOIN projects p ON p.id = a.project_id AND p.team_id = a.team_id
           LEFT JOIN batches b ON b.id = c.batch_id AND b.team_id = a.team_id
           WHERE a.teammate_id = :me AND a.team_id = :team AND a.mode = :mode
             AND (CAST(:before AS TEXT) IS NULL OR a.id < :before)
           ORDER BY a.id DESC LIMIT :limit""",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        before=before,
        limit=limit,
    )
    return [
        OwnAttempt(
            claim_id=row["id"],
            task_id=row["task_id"],
            project=row["project"],
            batch=row["batch"] or default_batch_name(row["project"]),
            type=row["type"],
            submitted_at=row["submitted_at"],
            response=row["response"],
        )
        for row in rows
    ]
