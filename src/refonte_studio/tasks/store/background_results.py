"""The SQL of results that are computed in the background.

Only a transaction that has locked the task's slots inserts or ends a row.
"""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Mode
from refonte_studio.kit.ids import new_ids
from refonte_studio.tasks.model import Task

_COLUMNS = ("id", "team_id", "mode", "project_id", "batch_id", "task_id", "forced", "due_at", "created_at")


async def insert(tx: Tx, tasks: Sequence[Task], forced: bool, now: int) -> None:
    """Queues the results of these tasks."""
    rows = [
        (new_id, each.team_id, each.mode, each.project_id, each.slots_in, each.id, forced, now, now)
        for new_id, each in zip(new_ids(now, len(tasks)), tasks, strict=True)
    ]
    await tx.insert("postponed_results", _COLUMNS, rows)


async def force(tx: Tx, team_id: str, task_ids: Sequence[str]) -> None:
    """Marks the queued results of these tasks as forced: they complete their tasks regardless of confidence."""
    await tx.run(
        """UPDATE postponed_results SET forced = true
           WHERE task_id IN :task_ids[] AND team_id = :team_id AND done_at IS NULL""",
        team_id=team_id,
        task_ids=list(task_ids),
    )


async def end(tx: Tx, team_id: str, task_id: str, now: int) -> None:
    """Removes the result of an ended task from the queue."""
    await tx.run(
        """UPDATE postponed_results SET done_at = :now
           WHERE task_id = :task_id AND team_id = :team_id AND done_at IS NULL""",
        team_id=team_id,
        task_id=task_id,
        now=now,
    )


async def next_due(tx: Tx, now: int, not_first: str) -> tuple[str, Mode, str] | None:
    """Returns the team, mode and project of the longest due result; results of team `not_first` come last."""
    row = await tx.one(
        """SELECT team_id, mode, project_id FROM postponed_results WHERE done_at IS NULL AND due_at <= :now
           ORDER BY CASE WHEN team_id = :not_first THEN 1 ELSE 0 END, due_at, id LIMIT 1""",
        now=now,
        not_first=not_first,
    )
    return (row["team_id"], row["mode"], row["project_id"]) if row else None


async def take(tx: Tx, team_id: str, project_id: str, taken_by: str, now: int, until: int, limit: int) -> list[str]:
    """Leases due results of a project until `until`; returns the ids of their tasks."""
    rows = await tx.all(
        """UPDATE postponed_results SET taken_by = :taken_by, due_at = :due_at
           WHERE done_at IS NULL AND id IN (
             SELECT pr.id FROM postponed_results pr
             WHERE pr.done_at IS NULL AND pr.due_at <= :now AND pr.project_id = :project_id AND pr.team_id = :team_id
             ORDER BY pr.due_at, pr.id LIMIT :limit FOR UPDATE SKIP LOCKED)
           RETURNING task_id""",
        team_id=team_id,
        project_id=project_id,
        taken_by=taken_by,
        now=now,
        due_at=until,
        limit=limit,
    )
    return [row["task_id"] for row in rows]


async def renew(tx: Tx, team_id: str, taken_by: str, until: int) -> None:
    """Extends the lease of these results."""
    await tx.run(
        """UPDATE postponed_results SET due_at = :due_at
           WHERE done_at IS NULL AND taken_by = :taken_by AND team_id = :team_id""",
        team_id=team_id,
        taken_by=taken_by,
        due_at=until,
    )


async def put_off(tx: Tx, team_id: str, taken_by: str, task_id: str, tries: int, due_at: int) -> None:
    """Returns a result to the queue, due at `due_at`, and adds to its number of failed tries."""
    await tx.run(
        """UPDATE postponed_results SET due_at = :due_at, tries = tries + :tries, taken_by = NULL
           WHERE done_at IS NULL AND taken_by = :taken_by AND task_id = :task_id AND team_id = :team_id""",
        team_id=team_id,
        taken_by=taken_by,
        task_id=task_id,
        tries=tries,
        due_at=due_at,
    )


async def tries(tx: Tx, team_id: str, taken_by: str, task_id: str) -> int:
    """Returns the number of failed tries of a result."""
    row = await tx.one(
        """SELECT tries FROM postponed_results
           WHERE done_at IS NULL AND taken_by = :taken_by AND task_id = :task_id AND team_id = :team_id""",
        team_id=team_id,
        taken_by=taken_by,
        task_id=task_id,
    )
    return row["tries"] if row else 0


async def done(tx: Tx, team_id: str, taken_by: str, task_id: str, now: int) -> bool | None:
    """Removes a result from the queue; returns whether it is forced, or None if another process has taken it over."""
    row = await tx.one(
        """UPDATE postponed_results SET done_at = :now
           WHERE done_at IS NULL AND taken_by = :taken_by AND task_id = :task_id AND team_id = :team_id
           RETURNING forced""",
        team_id=team_id,
        taken_by=taken_by,
        task_id=task_id,
        now=now,
    )
    return bool(row["forced"]) if row else None
