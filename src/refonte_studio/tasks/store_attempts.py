"""The SQL of attempts, and of completing tasks by them."""

from collections.abc import Sequence
from typing import Any

from refonte_studio.db import Row, Tx
from refonte_studio.tasks.model import Attempt, Audit, Task
from refonte_studio.tasks.store import OF_TEAM, TASK, task_of


def attempt_of(row: Row) -> Attempt:
    return Attempt(
        id=row["id"],
        task_id=row["task_id"],
        teammate_id=row["teammate_id"],
        number=row["number"],
        response=row["response"],
        started_at=row["started_at"],
        submitted_at=row["submitted_at"],
    )


async def count_attempt(tx: Tx, team_id: str, task_id: str, now: int) -> tuple[int, int] | None:
    """Counts one more attempt of a pending task: its number and how many are wanted. None if it is not pending."""
    row = await tx.one(
        """UPDATE tasks SET attempts = attempts + 1, updated_at = :now
           WHERE id = :task_id AND team_id = :team_id AND status = 'pending'
           RETURNING attempts, wanted""",
        task_id=task_id,
        team_id=team_id,
        now=now,
    )
    return (row["attempts"], row["wanted"]) if row else None


async def insert_attempt(tx: Tx, **values: Any) -> None:
    """Raises Duplicate if this person has attempted the task before."""
    await tx.run(
        """INSERT INTO attempts (id, team_id, mode, task_id, project_id, batch_id, teammate_id, number, wanted,
             response, started_at, submitted_at)
           VALUES (:id, :team_id, :mode, :task_id, :project_id, :batch_id, :teammate_id, :number, :wanted,
             :response, :started_at, :submitted_at)""",
        **values,
    )


async def attempts_of(tx: Tx, team_id: str, task_ids: Sequence[str]) -> dict[str, list[Attempt]]:
    """The attempts of these tasks, in their order of submission."""
    rows = await tx.all(
        """SELECT id, task_id, teammate_id, number, response, started_at, submitted_at FROM attempts
           WHERE task_id IN :task_ids[] AND team_id = :team_id ORDER BY task_id, number""",
        task_ids=list(task_ids),
        team_id=team_id,
    )
    found: dict[str, list[Attempt]] = {}
    for row in rows:
        found.setdefault(row["task_id"], []).append(attempt_of(row))
    return found


async def audits_of(tx: Tx, team_id: str, task_ids: Sequence[str]) -> dict[str, list[Audit]]:
    """The audits of these tasks, oldest first."""
    rows = await tx.all(
        """SELECT id, task_id, teammate_id, accepted, comments, created_at FROM audits
           WHERE task_id IN :task_ids[] AND team_id = :team_id ORDER BY id""",
        task_ids=list(task_ids),
        team_id=team_id,
    )
    found: dict[str, list[Audit]] = {}
    for row in rows:
        audit = Audit(
            id=row["id"],
            task_id=row["task_id"],
            teammate_id=row["teammate_id"],
            accepted=bool(row["accepted"]),
            comments=row["comments"],
            created_at=row["created_at"],
        )
        found.setdefault(audit.task_id, []).append(audit)
    return found


async def complete(tx: Tx, team_id: str, task_id: str, response: str, now: int) -> None:
    """Gives a pending task its response."""
    await tx.run(
        """UPDATE tasks SET status = 'completed', response = :response, open_places = 0,
             completed_at = :now, updated_at = :now
           WHERE id = :task_id AND team_id = :team_id AND status = 'pending'""",
        task_id=task_id,
        team_id=team_id,
        response=response,
        now=now,
    )


async def lock_attempted(tx: Tx, team_id: str, batch_id: str, after: str, limit: int) -> list[Task]:
    """Pending tasks of a batch that have an attempt, locked, in order of their ids beyond `after`."""
    rows = await tx.all(
        f"""SELECT {TASK} FROM tasks
            WHERE batch_id = :batch_id AND status = 'pending' AND kind = 'work' AND attempts > 0 AND id > :after
              AND team_id = :team_id
            ORDER BY id LIMIT :limit FOR UPDATE""",
        team_id=team_id,
        batch_id=batch_id,
        after=after,
        limit=limit,
    )
    return [task_of(row) for row in rows]


async def lock_to_retarget(tx: Tx, team_id: str, project_id: str, wanted: int, after: str, limit: int) -> list[Task]:
    """Pending tasks of a project that want another number of attempts, locked, in order of their ids."""
    rows = await tx.all(
        f"""SELECT {TASK} FROM tasks
            WHERE project_id = :project_id AND status = 'pending' AND kind = 'work' AND wanted <> :wanted
              AND id > :after AND team_id = :team_id
            ORDER BY id LIMIT :limit FOR UPDATE""",
        team_id=team_id,
        project_id=project_id,
        wanted=wanted,
        after=after,
        limit=limit,
    )
    return [task_of(row) for row in rows]


async def set_wanted_of_quality(tx: Tx, team_id: str, project_id: str, wanted: int) -> None:
    """Lets a project's quality tasks look like its others."""
    await tx.run(
        """UPDATE tasks SET wanted = :wanted
           WHERE project_id = :project_id AND kind <> 'work' AND status = 'pending' AND team_id = :team_id""",
        team_id=team_id,
        project_id=project_id,
        wanted=wanted,
    )


async def set_wanted(tx: Tx, team_id: str, task_ids: Sequence[str], wanted: int) -> None:
    """How many attempts these tasks want; the open places follow."""
    await tx.run(
        f"""UPDATE tasks SET open_places = open_places + :wanted - wanted, wanted = :wanted
            WHERE id IN :task_ids[] AND {OF_TEAM}""",
        task_ids=list(task_ids),
        team_id=team_id,
        wanted=wanted,
    )
