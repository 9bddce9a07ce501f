"""The SQL of results that are made in the background. Rows are made and ended by those who have locked the slots."""

from collections.abc import Sequence

from refonte_studio.db import Row, Tx
from refonte_studio.kit.ids import new_ids
from refonte_studio.tasks.model import Task

_COLUMNS = ("id", "team_id", "mode", "project_id", "batch_id", "task_id", "forced", "due_at", "created_at")


async def insert(tx: Tx, tasks: Sequence[Task], forced: bool, now: int) -> None:
    """The results of these tasks are due."""
    rows = [
        (new_id, each.team_id, each.mode, each.project_id, each.slots_in, each.id, forced, now, now)
        for new_id, each in zip(new_ids(now, len(tasks)), tasks, strict=True)
    ]
    await tx.insert("postponed_results", _COLUMNS, rows)


async def force(tx: Tx, team_id: str, task_ids: Sequence[str]) -> None:
    """Has the results of these tasks, which are being made, complete them whatever they are."""
    await tx.run(
        """UPDATE postponed_results SET forced = true
           WHERE task_id IN :task_ids[] AND team_id = :team_id AND done_at IS NULL""",
        team_id=team_id,
        task_ids=list(task_ids),
    )


async def end(tx: Tx, team_id: str, task_id: str, now: int) -> None:
    """The task has ended: nobody needs its result."""
    await tx.run(
        """UPDATE postponed_results SET done_at = :now
           WHERE task_id = :task_id AND team_id = :team_id AND done_at IS NULL""",
        team_id=team_id,
        task_id=task_id,
        now=now,
    )


async def next_due(tx: Tx, now: int, not_first: str) -> Row | None:
    """The team, mode and project of the result that has been due for longest, of another team than the one that is
    not to come first, if any other has one."""
    return await tx.one(
        """SELECT team_id, mode, project_id FROM postponed_results WHERE done_at IS NULL AND due_at <= :now
           ORDER BY CASE WHEN team_id = :not_first THEN 1 ELSE 0 END, due_at, id LIMIT 1""",
        now=now,
        not_first=not_first,
    )


async def take(tx: Tx, team_id: str, project_id: str, taken_by: str, now: int, until: int, limit: int) -> Sequence[Row]:
    """Takes on results of a project that are due: the id and batch of their tasks."""
    return await tx.all(
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


async def renew(tx: Tx, team_id: str, taken_by: str, until: int) -> None:
    """Whoever took these on is still at it."""
    await tx.run(
        """UPDATE postponed_results SET due_at = :due_at
           WHERE done_at IS NULL AND taken_by = :taken_by AND team_id = :team_id""",
        team_id=team_id,
        taken_by=taken_by,
        due_at=until,
    )


async def put_off(tx: Tx, team_id: str, taken_by: str, task_id: str, tries: int, due_at: int) -> None:
    """Leaves one of them to another try."""
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
    """How many tries at a result have come to nothing."""
    row = await tx.one(
        """SELECT tries FROM postponed_results
           WHERE done_at IS NULL AND taken_by = :taken_by AND task_id = :task_id AND team_id = :team_id""",
        team_id=team_id,
        taken_by=taken_by,
        task_id=task_id,
    )
    return row["tries"] if row else 0


async def done(tx: Tx, team_id: str, taken_by: str, task_id: str, now: int) -> bool | None:
    """Ends the wait for a result; answers whether it is forced, or None if it is not this try's to give any more."""
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
