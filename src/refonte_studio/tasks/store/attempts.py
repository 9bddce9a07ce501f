"""The SQL of attempts and audits, and of completing tasks."""

from collections.abc import Mapping, Sequence
from typing import Any

from refonte_studio.aggregation.model import Result
from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.tasks.model import Attempt, Audit, Task

ATTEMPT = Record(Attempt)
AUDIT = Record(Audit)


async def insert_attempt(tx: Tx, **values: Any) -> None:
    """Inserts a person's attempt. Raises Duplicate if they have another one that was not sent back to them."""
    await tx.run(
        """INSERT INTO attempts (id, team_id, mode, task_id, project_id, batch_id, teammate_id, number, wanted,
             response, started_at, submitted_at, round)
           VALUES (:id, :team_id, :mode, :task_id, :project_id, :batch_id, :teammate_id, :number, :wanted,
             :response, :started_at, :submitted_at, 1 + (
               SELECT COUNT(*) FROM attempts h JOIN claims c ON c.id = h.id AND c.team_id = h.team_id
               WHERE h.task_id = :task_id AND h.teammate_id = :teammate_id AND h.team_id = :team_id
                 AND c.state = 'retaken'))""",
        **values,
    )


_IMPORTED = (
    *("id", "team_id", "mode", "task_id", "project_id", "batch_id", "teammate_id", "number", "wanted", "response"),
    *("started_at", "submitted_at", "imported", "imported_by"),
)


async def insert_imported(tx: Tx, tasks: Mapping[str, Task], attempts: Sequence[Attempt], wanted: int) -> None:
    """Inserts external attempts at new tasks, each of which wants `wanted` attempts."""
    rows = [
        (
            *(each.id, task.team_id, task.mode, task.id, task.project_id, task.batch_id, each.teammate_id),
            *(each.number, wanted, each.response, each.started_at, each.submitted_at, True, each.imported_by),
        )
        for each in attempts
        for task in (tasks[each.task_id],)
    ]
    await tx.insert("attempts", _IMPORTED, rows)


async def attempts_of(tx: Tx, team_id: str, task_ids: Sequence[str]) -> dict[str, list[Attempt]]:
    """Returns the attempts of these tasks in order of submission, without those that a review has rejected."""
    rows = await tx.all(
        f"""SELECT {ATTEMPT.select()} FROM attempts
            WHERE task_id IN :task_ids[] AND team_id = :team_id AND rejected_at IS NULL ORDER BY task_id, number, id""",
        task_ids=list(task_ids),
        team_id=team_id,
    )
    found: dict[str, list[Attempt]] = {}
    for row in rows:
        found.setdefault(row["task_id"], []).append(ATTEMPT.of(row))
    return found


async def audits_of(tx: Tx, team_id: str, task_ids: Sequence[str]) -> dict[str, list[Audit]]:
    """Returns the audits of these tasks, oldest first."""
    rows = await tx.all(
        f"""SELECT {AUDIT.select()} FROM audits
            WHERE task_id IN :task_ids[] AND team_id = :team_id ORDER BY id""",
        task_ids=list(task_ids),
        team_id=team_id,
    )
    found: dict[str, list[Audit]] = {}
    for row in rows:
        found.setdefault(row["task_id"], []).append(AUDIT.of(row))
    return found


async def complete(tx: Tx, team_id: str, task_id: str, result: Result, now: int) -> None:
    """Completes a pending task with its result."""
    await tx.run(
        """UPDATE tasks SET status = 'completed', response = :response, confidence = :confidence,
             agreement = :agreement, completed_at = :now, updated_at = :now
           WHERE id = :task_id AND team_id = :team_id AND status = 'pending'""",
        task_id=task_id,
        team_id=team_id,
        response=result.response,
        confidence=result.confidence,
        agreement=result.agreement,
        now=now,
    )


async def complete_all(tx: Tx, team_id: str, results: Mapping[str, Result], now: int) -> None:
    """Completes pending tasks with their results, by task id."""
    if tx.engine == "sqlite":  # a statement needs no round trip
        for task_id, result in results.items():
            await complete(tx, team_id, task_id, result, now)
        return
    await tx.run(
        """UPDATE tasks t SET status = 'completed', response = fresh.response, confidence = fresh.confidence,
             agreement = fresh.agreement, completed_at = :now, updated_at = :now
           FROM unnest(CAST(:task_ids AS TEXT[]), CAST(:responses AS TEXT[]), CAST(:confidences AS FLOAT8[]),
             CAST(:agreements AS FLOAT8[])) AS fresh (id, response, confidence, agreement)
           WHERE t.id = fresh.id AND t.team_id = :team_id AND t.status = 'pending'""",
        team_id=team_id,
        task_ids=list(results),
        responses=[result.response for result in results.values()],
        confidences=[result.confidence for result in results.values()],
        agreements=[result.agreement for result in results.values()],
        now=now,
    )


async def complete_reviewed(tx: Tx, team_id: str, task_id: str, response: str, now: int) -> None:
    """Completes a pending task with the response that a reviewer decided on.

    If a review has fixed the response, the confidence of the attempts does not apply to it and is cleared.
    """
    await tx.run(
        """UPDATE tasks SET status = 'completed', response = :response, reviewed = true, completed_at = :now,
             updated_at = :now, confidence = CASE WHEN EXISTS (
               SELECT 1 FROM reviews r WHERE r.task_id = :task_id AND r.team_id = :team_id AND r.state = 'fixed'
                 AND r.created_at >= COALESCE((SELECT MAX(h.rejected_at) FROM attempts h
                   WHERE h.task_id = :task_id AND h.team_id = :team_id), 0)) THEN NULL ELSE confidence END
           WHERE id = :task_id AND team_id = :team_id AND status = 'pending'""",
        task_id=task_id,
        team_id=team_id,
        response=response,
        now=now,
    )


async def decided_by_people(tx: Tx, team_id: str, task_ids: Sequence[str]) -> dict[str, str]:
    """Returns the responses (JSON) that a reviewer has accepted or fixed, by task, for tasks at a further level."""
    rows = await tx.all(
        """SELECT task_id, proposed FROM reviews
           WHERE task_id IN :task_ids[] AND team_id = :team_id AND state IN ('open', 'held') AND level > 1
           ORDER BY task_id""",
        task_ids=list(task_ids),
        team_id=team_id,
    )
    return {row["task_id"]: row["proposed"] for row in rows}


async def note_result(tx: Tx, team_id: str, task_id: str, result: Result) -> None:
    """Stores the confidence and the agreement of a pending task."""
    await tx.run(
        """UPDATE tasks SET confidence = :confidence, agreement = :agreement
           WHERE id = :task_id AND team_id = :team_id AND status = 'pending'""",
        task_id=task_id,
        team_id=team_id,
        confidence=result.confidence,
        agreement=result.agreement,
    )


async def reject(tx: Tx, team_id: str, task_id: str, now: int) -> list[str]:
    """Rejects all attempts of a task that count; returns the ids of their labelers."""
    rows = await tx.all(
        """UPDATE attempts SET rejected_at = :now
           WHERE task_id = :task_id AND team_id = :team_id AND rejected_at IS NULL RETURNING teammate_id""",
        task_id=task_id,
        team_id=team_id,
        now=now,
    )
    return sorted(row["teammate_id"] for row in rows)
