"""The SQL of lists and exports of tasks."""

from collections.abc import Sequence
from typing import Any

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Mode
from refonte_studio.kit.pages import PageCursor
from refonte_studio.tasks.model import ReviewStatus, Task, TaskFilter
from refonte_studio.tasks.store.tasks import TASK

_BOUNDS = {
    "created_from": "created_at >= :created_from",
    "created_to": "created_at <= :created_to",
    "updated_from": "updated_at >= :updated_from",
    "updated_to": "updated_at <= :updated_to",
    "completed_from": "completed_at >= :completed_from",
    "completed_to": "completed_at <= :completed_to",
    "project_id": "project_id = :project_id",
    "batch_id": "batch_id = :batch_id",
    "type": "type = :type",
    "status": "status = :status",
}


def _where(team_id: str, mode: Mode, which: TaskFilter) -> tuple[str, dict[str, Any]]:
    """Returns the SQL condition of a filter, which depends only on the set of used fields, and its values."""
    values: dict[str, Any] = {"team_id": team_id}
    conditions = ["team_id = :team_id"]
    if which.claim_id is None:  # a claim selects its task, whatever its kind
        conditions.append("kind = 'work'")
    else:
        conditions.append(
            "id IN (SELECT task_id FROM claims WHERE id = :claim_id AND team_id = :team_id AND mode = :mode)"
        )
        values |= {"mode": mode, "claim_id": which.claim_id}
    if which.project_id is None and which.batch_id is None:
        # otherwise the mode is implied, and a condition on it would make SQLite use the index of the whole team
        conditions.append("mode = :mode")
        values["mode"] = mode
    for name, condition in _BOUNDS.items():
        value = getattr(which, name)
        if value is not None:
            conditions.append(condition)
            values[name] = str(value) if name == "status" else value
    if which.unique_ids is not None:
        conditions.append(
            "id IN (SELECT id FROM tasks WHERE team_id = :team_id AND mode = :mode AND unique_id IN :unique_ids[])"
        )
        values |= {"mode": mode, "unique_ids": list(which.unique_ids)}
    if which.tags is not None:
        conditions.append("id IN (SELECT task_id FROM task_tags WHERE team_id = :team_id AND tag IN :tags[])")
        values["tags"] = list(which.tags)
    if which.reviews is not None:
        # a completed task without an audit is pending review
        unseen = "OR review_status IS NULL" if ReviewStatus.PENDING in which.reviews else ""
        conditions.append(f"status = 'completed' AND (review_status IN :review_statuses[] {unseen})")
        values["review_statuses"] = [review.value for review in which.reviews]
    return " AND ".join(conditions), values


async def count(tx: Tx, team_id: str, mode: Mode, which: TaskFilter, most: int | None) -> int:
    """Returns the number of tasks, counted up to `most` unless it is None."""
    where, values = _where(team_id, mode, which)
    sql = f"SELECT COUNT(*) AS total FROM tasks WHERE {where}"
    if most is not None:
        sql, values["limit"] = (
            f"SELECT COUNT(*) AS total FROM (SELECT 1 FROM tasks WHERE {where} LIMIT :limit) AS few",
            most,
        )
    row = await tx.one(sql, **values)
    return row["total"] if row else 0


async def newest(tx: Tx, team_id: str, mode: Mode, which: TaskFilter, place: PageCursor, limit: int) -> list[Task]:
    """Returns tasks from the cursor on, newest first."""
    where, values = _where(team_id, mode, which)
    if place.before is not None:
        where, values["before"] = f"{where} AND id < :before", place.before
    rows = await tx.all(
        f"SELECT {TASK.select()} FROM tasks WHERE {where} ORDER BY id DESC LIMIT :limit OFFSET :offset",
        limit=limit,
        offset=place.offset,
        **values,
    )
    return [TASK.of(row) for row in rows]


async def oldest_sizes(
    tx: Tx, team_id: str, mode: Mode, which: TaskFilter, after: str, limit: int
) -> list[tuple[str, int]]:
    """Returns the ids of tasks after `after`, oldest first, with their approximate sizes in characters."""
    where, values = _where(team_id, mode, which)
    rows = await tx.all(
        f"""SELECT id, LENGTH(params) + LENGTH(metadata) + COALESCE(LENGTH(response), 0) AS size
            FROM tasks WHERE {where} AND id > :after ORDER BY id LIMIT :limit""",
        after=after,
        limit=limit,
        **values,
    )
    return [(row["id"], row["size"]) for row in rows]


async def between(tx: Tx, team_id: str, mode: Mode, which: TaskFilter, after: str, last: str) -> list[Task]:
    """Returns the tasks after `after` up to and including `last`, oldest first."""
    where, values = _where(team_id, mode, which)
    rows = await tx.all(
        f"SELECT {TASK.select()} FROM tasks WHERE {where} AND id > :after AND id <= :last_id ORDER BY id",
        after=after,
        last_id=last,
        **values,
    )
    return [TASK.of(row) for row in rows]


async def taken(tx: Tx, team_id: str, mode: Mode, unique_ids: Sequence[str]) -> set[str]:
    """Returns those of the unique_ids that a task already has."""
    rows = await tx.all(
        """SELECT unique_id FROM tasks
           WHERE team_id = :team_id AND mode = :mode AND unique_id IN :unique_ids[]""",
        team_id=team_id,
        mode=mode,
        unique_ids=list(unique_ids),
    )
    return {row["unique_id"] for row in rows}
