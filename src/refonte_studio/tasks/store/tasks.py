"""The SQL of tasks: one or a few at a time."""

from collections.abc import Sequence
from typing import Any

from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.kit.caller import Mode
from refonte_studio.tasks.model import Task

TASK = Record(Task)
# For use with a list of ids: without the cast, SQLite reads the index of the whole team instead of looking up each id.
OF_TEAM = "CAST(team_id AS TEXT) = :team_id"
TAG_COLUMNS = ("team_id", "tag", "task_id")


async def insert_task(tx: Tx, task: Task) -> None:
    """Raises Duplicate if the unique_id is taken."""
    await tx.run(f"INSERT INTO tasks ({TASK.select()}) VALUES ({TASK.marks()})", **TASK.named(task))


async def insert_tasks(tx: Tx, tasks: Sequence[Task]) -> None:
    """Raises Duplicate if a unique_id is taken."""
    await tx.insert("tasks", TASK.columns, [TASK.values(task) for task in tasks])


async def insert_tags(tx: Tx, rows: Sequence[tuple[str, str, str]]) -> None:
    """Rows of team, tag and task."""
    if rows:
        await tx.insert("task_tags", TAG_COLUMNS, rows)


async def task(tx: Tx, team_id: str, mode: Mode, task_id: str) -> Task | None:
    row = await tx.one(
        f"SELECT {TASK.select()} FROM tasks WHERE id = :task_id AND team_id = :team_id AND mode = :mode",
        task_id=task_id,
        team_id=team_id,
        mode=mode,
    )
    return TASK.of(row) if row else None


async def lock_task(tx: Tx, team_id: str, mode: Mode, task_id: str) -> Task | None:
    """Returns the task and locks it until this transaction ends."""
    row = await tx.one(
        f"SELECT {TASK.select()} FROM tasks WHERE id = :task_id AND team_id = :team_id AND mode = :mode FOR UPDATE",
        task_id=task_id,
        team_id=team_id,
        mode=mode,
    )
    return TASK.of(row) if row else None


async def tasks_by_ids(tx: Tx, team_id: str, task_ids: Sequence[str]) -> dict[str, Task]:
    rows = await tx.all(
        f"SELECT {TASK.select()} FROM tasks WHERE id IN :task_ids[] AND {OF_TEAM}",
        task_ids=list(task_ids),
        team_id=team_id,
    )
    return {row["id"]: TASK.of(row) for row in rows}


async def cancel(tx: Tx, team_id: str, task_id: str, clear_unique_id: bool, now: int) -> bool:
    """Cancels a pending task; returns False if it is not pending."""
    changed = await tx.run(
        """UPDATE tasks SET status = 'canceled', updated_at = :now,
             unique_id = CASE WHEN :clear_unique_id THEN NULL ELSE unique_id END
           WHERE id = :task_id AND team_id = :team_id AND status = 'pending'""",
        task_id=task_id,
        team_id=team_id,
        clear_unique_id=clear_unique_id,
        now=now,
    )
    return changed > 0


async def set_unique_id(tx: Tx, team_id: str, task_id: str, unique_id: str | None, now: int) -> None:
    """Raises Duplicate if another task has it."""
    await tx.run(
        "UPDATE tasks SET unique_id = :unique_id, updated_at = :now WHERE id = :task_id AND team_id = :team_id",
        task_id=task_id,
        team_id=team_id,
        unique_id=unique_id,
        now=now,
    )


async def set_callback_succeeded(tx: Tx, team_id: str, task_id: str, succeeded: bool) -> None:
    await tx.run(
        "UPDATE tasks SET callback_succeeded = :callback_succeeded WHERE id = :task_id AND team_id = :team_id",
        task_id=task_id,
        team_id=team_id,
        callback_succeeded=succeeded,
    )


async def set_metadata(tx: Tx, team_id: str, task_id: str, metadata: str, now: int) -> None:
    await tx.run(
        "UPDATE tasks SET metadata = :metadata, updated_at = :now WHERE id = :task_id AND team_id = :team_id",
        task_id=task_id,
        team_id=team_id,
        metadata=metadata,
        now=now,
    )


async def set_tags(tx: Tx, team_id: str, task_id: str, tags: Sequence[str], tags_json: str | None, now: int) -> None:
    """Replaces the task's tags."""
    await tx.run(
        "DELETE FROM task_tags WHERE task_id = :task_id AND team_id = :team_id", task_id=task_id, team_id=team_id
    )
    await insert_tags(tx, [(team_id, tag, task_id) for tag in tags])
    await tx.run(
        "UPDATE tasks SET tags = :tags, updated_at = :now WHERE id = :task_id AND team_id = :team_id",
        task_id=task_id,
        team_id=team_id,
        tags=tags_json,
        now=now,
    )


async def set_review(tx: Tx, team_id: str, task_id: str, review_status: str, settles: bool, now: int) -> None:
    """Stores the outcome of an audit; with `settles`, the response counts as decided by a person."""
    await tx.run(
        """UPDATE tasks SET review_status = :review_status, reviewed = (reviewed OR :settles), updated_at = :now
           WHERE id = :task_id AND team_id = :team_id""",
        task_id=task_id,
        team_id=team_id,
        review_status=review_status,
        settles=settles,
        now=now,
    )


async def set_response(tx: Tx, team_id: str, task_id: str, response: str) -> None:
    """Replaces the response of a completed task and clears the confidence, which does not apply to the new one."""
    await tx.run(
        """UPDATE tasks SET response = :response, confidence = NULL
           WHERE id = :task_id AND team_id = :team_id AND status = 'completed'""",
        task_id=task_id,
        team_id=team_id,
        response=response,
    )


async def part_in(tx: Tx, team_id: str, task_id: str, teammate_id: str) -> str | None:
    """Returns whether a person `attempted` or `reviewed` a task; None if neither."""
    row = await tx.one(
        """SELECT 'attempted' AS part FROM attempts
           WHERE task_id = :task_id AND teammate_id = :teammate_id AND team_id = :team_id
           UNION ALL
           SELECT 'reviewed' FROM reviews
           WHERE task_id = :task_id AND reviewer_id = :teammate_id AND team_id = :team_id
             AND state IN ('accepted', 'fixed', 'rejected')
           LIMIT 1""",
        task_id=task_id,
        teammate_id=teammate_id,
        team_id=team_id,
    )
    return row["part"] if row else None


async def insert_audit(tx: Tx, **values: Any) -> None:
    await tx.run(
        """INSERT INTO audits (id, team_id, task_id, teammate_id, accepted, comments, created_at)
           VALUES (:id, :team_id, :task_id, :teammate_id, :accepted, :comments, :created_at)""",
        **values,
    )
