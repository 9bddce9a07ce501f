"""The SQL of quality tasks and of the attempts at them."""

from collections.abc import Sequence
from typing import Any

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.quality.model import TrainingAttempt


async def insert_quality_task(tx: Tx, **values: Any) -> None:
    await tx.run(
        """INSERT INTO quality_tasks (task_id, team_id, expected_response, initial_response, pass_mark, source_task_id)
           VALUES (:task_id, :team_id, :expected_response, :initial_response, :pass_mark, :source_task_id)""",
        **values,
    )


async def expected(tx: Tx, team_id: str, task_id: str) -> str:
    """Returns the expected response of a quality task."""
    found = await expected_of_any(tx, team_id, task_id)
    assert found is not None, f"quality task {task_id} has no expected response"
    return found


async def expected_of_any(tx: Tx, team_id: str, task_id: str) -> str | None:
    """Returns the expected response of a quality task; None for a task for work."""
    row = await tx.one(
        "SELECT expected_response FROM quality_tasks WHERE task_id = :task_id AND team_id = :team_id",
        task_id=task_id,
        team_id=team_id,
    )
    return row["expected_response"] if row else None


async def evaluations(tx: Tx, team_id: str, project_id: str, type_name: str, limit: int) -> list[str]:
    """Returns the project's evaluation tasks of this type, oldest first."""
    rows = await tx.all(
        """SELECT t.id FROM tasks t
           WHERE t.project_id = :project_id AND t.kind = 'evaluation' AND t.kind <> 'work' AND t.status <> 'canceled'
             AND t.type = :type AND t.team_id = :team_id
           ORDER BY t.id LIMIT :limit""",
        team_id=team_id,
        project_id=project_id,
        type=type_name,
        limit=limit,
    )
    return [row["id"] for row in rows]


async def made_of(tx: Tx, team_id: str, project_id: str, source_id: str, kind: str) -> str | None:
    """Returns the quality task of this kind that was copied from a task and is not canceled, or None."""
    row = await tx.one(
        """SELECT t.id FROM tasks t JOIN quality_tasks y ON y.task_id = t.id AND y.team_id = t.team_id
           WHERE t.project_id = :project_id AND t.kind = :kind AND t.kind <> 'work' AND t.status <> 'canceled'
             AND t.team_id = :team_id AND y.source_task_id = :source_task_id
           ORDER BY t.id LIMIT 1""",
        team_id=team_id,
        project_id=project_id,
        source_task_id=source_id,
        kind=kind,
    )
    return row["id"] if row else None


async def is_reviewed(tx: Tx, team_id: str, task_id: str) -> bool:
    """Returns whether a person has decided about the task's response."""
    row = await tx.one(
        "SELECT reviewed FROM tasks WHERE id = :task_id AND team_id = :team_id", task_id=task_id, team_id=team_id
    )
    return bool(row is not None and row["reviewed"])


async def is_training(tx: Tx, team_id: str, task_id: str) -> bool:
    row = await tx.one(
        "SELECT kind FROM tasks WHERE id = :task_id AND team_id = :team_id", task_id=task_id, team_id=team_id
    )
    return row is not None and row["kind"] == "training"


async def insert_attempt(tx: Tx, caller: Caller, attempt_id: str, task_id: str, score: float, passed: bool) -> None:
    await tx.run(
        """INSERT INTO quality_attempts (id, team_id, mode, task_id, teammate_id, number, score, passed)
           SELECT :id, :team_id, :mode, :task_id, :me, count(*) + 1, :score, :passed FROM quality_attempts
           WHERE task_id = :task_id AND teammate_id = :me AND team_id = :team_id""",
        id=attempt_id,
        team_id=caller.team_id,
        mode=caller.mode,
        task_id=task_id,
        me=caller.teammate_id,
        score=score,
        passed=passed,
    )


async def known_quality_tasks(tx: Tx, caller: Caller, task_ids: Sequence[str]) -> set[str]:
    rows = await tx.all(
        """SELECT t.id FROM tasks t WHERE t.team_id = :team_id AND t.mode = :mode AND t.kind <> 'work'
           AND t.id IN :task_ids[]""",
        team_id=caller.team_id,
        mode=caller.mode,
        task_ids=list(task_ids),
    )
    return {row["id"] for row in rows}


async def attempts(
    tx: Tx,
    caller: Caller,
    task_ids: Sequence[str] | None,
    teammate_ids: Sequence[str] | None,
    limit: int,
    before: str | None,
) -> list[TrainingAttempt]:
    """Returns attempts at these tasks by these people, newest first."""
    filters: dict[str, Any] = {}
    wheres = ""
    if task_ids is not None:
        filters["task_ids"] = list(task_ids)
        wheres += " AND q.task_id IN :task_ids[]"
    if teammate_ids is not None:
        filters["teammate_ids"] = list(teammate_ids)
        wheres += " AND q.teammate_id IN :teammate_ids[]"
    rows = await tx.all(
        f"""SELECT q.id, q.task_id, q.number, q.score, q.passed, p.name AS project, u.email, h.response,
              y.expected_response, h.started_at, h.submitted_at
            FROM quality_attempts q JOIN attempts h ON h.id = q.id JOIN quality_tasks y ON y.task_id = q.task_id
            JOIN projects p ON p.id = h.project_id JOIN teammates u ON u.id = q.teammate_id
            WHERE q.team_id = :team_id AND q.mode = :mode AND (CAST(:before AS TEXT) IS NULL OR q.id < :before) {wheres}
            ORDER BY q.id DESC LIMIT :limit""",
        team_id=caller.team_id,
        mode=caller.mode,
        before=before,
        limit=limit,
        **filters,
    )
    return [
        TrainingAttempt(
            id=row["id"],
            quality_task_id=row["task_id"],
            project=row["project"],
            labeler_email=row["email"],
            attempt=row["number"],
            score=row["score"],
            passed=bool(row["passed"]),
            response=row["response"],
            expected_response=row["expected_response"],
            started_at=row["started_at"],
            submitted_at=row["submitted_at"],
        )
        for row in rows
    ]
