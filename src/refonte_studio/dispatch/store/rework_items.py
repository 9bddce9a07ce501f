"""The SQL of rework items: tasks that a review sent back to the people who had done them.

A rework item keeps one of its task's slots for its person, whether they hold the task or not: a claim of it takes no
slot, and gives none back. It ends by their attempt or with the task; where they will not do it, the slot opens for
others.
Rows are made and taken away by those who have locked the task's slots.
"""

from collections.abc import Mapping, Sequence

from refonte_studio.db import Row, Tx
from refonte_studio.dispatch.model import Candidate, Claim
from refonte_studio.dispatch.store.candidates import taken
from refonte_studio.kit.caller import Caller
from refonte_studio.tasks.model import Task

_CLAIM = (
    *("id", "team_id", "mode", "task_id", "project_id", "batch_id", "teammate_id", "state"),
    *("claimed_at", "lease_expires_at", "ended_at", "reason"),
)
_BARRED = "has reviewed the task"


async def next_rework_item(tx: Tx, caller: Caller, project_id: str | None, batch_id: str | None) -> Candidate | None:
    """The task that the person has had to do again for longest: of these, or of any project and batch."""
    row = await tx.one(
        f"""SELECT d.task_id, d.project_id, d.batch_id, t.type, t.params, p.name AS project, p.evaluates,
              b.name AS batch
            FROM rework_items d
            JOIN assignments a ON a.teammate_id = d.teammate_id AND a.project_id = d.project_id
              AND a.team_id = d.team_id AND a.paused_at IS NULL AND NOT a.archived
            JOIN tasks t ON t.id = d.task_id AND t.team_id = d.team_id
            JOIN projects p ON p.id = d.project_id AND p.team_id = d.team_id
            JOIN batches b ON b.id = d.batch_id AND b.team_id = d.team_id
            WHERE d.teammate_id = :me AND d.team_id = :team AND d.mode = :mode
              AND (CAST(:project AS TEXT) IS NULL OR d.project_id = :project)
              AND (CAST(:batch AS TEXT) IS NULL OR d.batch_id = :batch)
              AND NOT EXISTS ({taken("d.task_id")})
            ORDER BY d.created_at, d.task_id LIMIT 1""",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        project=project_id,
        batch=batch_id,
    )
    if row is None:
        return None
    return Candidate(
        task_id=row["task_id"],
        project_id=row["project_id"],
        batch_id=row["batch_id"],
        kind="work",
        type=row["type"],
        params=row["params"],
        project=row["project"],
        batch=row["batch"],
        is_rework=True,
        evaluates=bool(row["evaluates"]),
    )


async def lock_slot(tx: Tx, team_id: str, batch_id: str | None, task_id: str) -> bool:
    """Keeps a pending task's slots as they are until this transaction ends; False if it has ended."""
    row = await tx.one(
        """SELECT task_id FROM task_slots WHERE batch_id = :batch AND task_id = :task AND team_id = :team FOR UPDATE""",
        batch=batch_id,
        task=task_id,
        team=team_id,
    )
    return row is not None


async def done(tx: Tx, claim: Claim) -> None:
    """Clears the claimant's rework item."""
    await tx.run(
        "DELETE FROM rework_items WHERE teammate_id = :person AND task_id = :task AND team_id = :team",
        person=claim.teammate_id,
        task=claim.task_id,
        team=claim.team_id,
    )


async def remove_of_tasks(tx: Tx, team_id: str, task_ids: Sequence[str]) -> None:
    """Clears the rework items of these tasks."""
    await tx.run(
        "DELETE FROM rework_items WHERE task_id IN :tasks[] AND team_id = :team", tasks=list(task_ids), team=team_id
    )


async def of_people(
    tx: Tx, team_id: str, teammate_ids: Sequence[str], project_ids: Sequence[str] | None
) -> Sequence[Row]:
    """(batch_id, task_id, teammate_id, held) of what these people have to do again, in these projects or in all."""
    return await tx.all(
        f"""SELECT d.batch_id, d.task_id, d.teammate_id, c.id IS NOT NULL AS held FROM rework_items d
            LEFT JOIN claims c ON c.task_id = d.task_id AND c.teammate_id = d.teammate_id AND c.team_id = d.team_id
              AND c.state = 'held'
            WHERE d.teammate_id IN :people[] AND d.team_id = :team
            {"" if project_ids is None else "AND d.project_id IN :projects[]"}""",
        team=team_id,
        people=list(teammate_ids),
        **({} if project_ids is None else {"projects": list(project_ids)}),
    )


async def lock_slots(tx: Tx, team_id: str, rework_items: Sequence[Row]) -> None:
    """Locks the slots of these tasks, in the order that everybody keeps."""
    await tx.all(
        """SELECT task_id FROM task_slots WHERE batch_id IN :batches[] AND task_id IN :tasks[] AND team_id = :team
           ORDER BY batch_id, task_id FOR UPDATE""",
        team=team_id,
        batches=sorted({item["batch_id"] for item in rework_items}),
        tasks=sorted({item["task_id"] for item in rework_items}),
    )


async def remove(tx: Tx, team_id: str, rework_items: Sequence[Row]) -> None:
    """Deletes these rework items: all that these people have of these tasks."""
    await tx.run(
        "DELETE FROM rework_items WHERE teammate_id IN :people[] AND task_id IN :tasks[] AND team_id = :team",
        team=team_id,
        people=sorted({item["teammate_id"] for item in rework_items}),
        tasks=sorted({item["task_id"] for item in rework_items}),
    )


async def reviewers_to_bar(tx: Tx, task: Task) -> list[str]:
    """Who has held a review of a task and may still be given it."""
    rows = await tx.all(
        """SELECT DISTINCT r.reviewer_id FROM reviews r
           WHERE r.task_id = :task AND r.team_id = :team AND r.reviewer_id IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM claims c WHERE c.task_id = r.task_id AND c.teammate_id = r.reviewer_id
               AND c.team_id = r.team_id AND c.state IN ('held', 'submitted', 'skipped'))
           ORDER BY r.reviewer_id""",
        task=task.id,
        team=task.team_id,
    )
    return [row["reviewer_id"] for row in rows]


async def bar(tx: Tx, task: Task, claim_ids: Mapping[str, str], now: int) -> None:
    """Keeps people from a task, each by a claim of this id that is skipped from the start.

    A zero-length lease marks a block, not a skip.
    """
    rows = [
        (
            claim_id,
            task.team_id,
            task.mode,
            task.id,
            task.project_id,
            task.batch_id,
            person,
            "skipped",
            now,
            now,
            now,
            _BARRED,
        )
        for person, claim_id in claim_ids.items()
    ]
    await tx.insert("claims", _CLAIM, rows)


async def retake(tx: Tx, team_id: str, task_id: str, teammate_ids: Sequence[str]) -> None:
    """Lets these people, who have submitted the task, have it again."""
    await tx.run(
        """UPDATE claims SET state = 'retaken'
           WHERE task_id = :task AND teammate_id IN :people[] AND team_id = :team AND state = 'submitted'""",
        team=team_id,
        task=task_id,
        people=list(teammate_ids),
    )


async def insert(tx: Tx, task: Task, teammate_ids: Sequence[str], now: int) -> int:
    """Has those of these people do the task again who may work it; answers how many.

    Nobody can unassign, pause or disable them until this transaction ends.
    """
    return await tx.run(
        """INSERT INTO rework_items (team_id, mode, teammate_id, task_id, project_id, batch_id, created_at)
           SELECT :team, :mode, t.id, :task, :project, :batch, :now
           FROM teammates t CROSS JOIN (
             SELECT a.teammate_id FROM assignments a
             WHERE a.teammate_id IN :people[] AND a.project_id = :project AND a.team_id = :team
               AND a.paused_at IS NULL AND NOT a.archived ORDER BY a.teammate_id FOR SHARE) AS assigned
           WHERE t.id = assigned.teammate_id AND t.team_id = :team AND t.state = 'active'""",
        team=task.team_id,
        mode=task.mode,
        task=task.id,
        project=task.project_id,
        batch=task.batch_id,
        people=list(teammate_ids),
        now=now,
    )
