"""The SQL that reads people's answers, to compare them with results and with each other."""

from collections.abc import Sequence
from typing import Any

from refonte_studio.analytics.model import ComparedAttempt, Scope
from refonte_studio.analytics.store.figures import earliest_id
from refonte_studio.db import Row, Tx
from refonte_studio.kit.caller import Caller

_PERIOD = """h.id >= :first_id AND h.team_id = :team_id AND h.mode = :mode
    AND h.submitted_at >= :start AND h.submitted_at < :end AND (CAST(:before AS TEXT) IS NULL OR h.id < :before)"""


def _given(rows: Sequence[Row]) -> list[ComparedAttempt]:
    return [
        ComparedAttempt(
            id=row["id"],
            task_id=row["task_id"],
            teammate_id=row["teammate_id"],
            type=row["type"],
            params=row["params"],
            response=row["response"],
            result=row["result"],
        )
        for row in rows
    ]


async def _newest(
    tx: Tx, caller: Caller, sql: str, project_id: str, scope: Scope, before: str | None, limit: int
) -> list[ComparedAttempt]:
    people: dict[str, Any] = {} if scope.people is None else {"teammate_ids": list(scope.people)}
    only = "" if scope.people is None else "AND h.teammate_id IN :teammate_ids[]"
    rows = await tx.all(
        f"{sql} AND {_PERIOD} {only} ORDER BY h.id DESC LIMIT :limit",
        project_id=project_id,
        first_id=earliest_id(scope.start),
        team_id=caller.team_id,
        mode=caller.mode,
        start=scope.start or 0,
        end=scope.end,
        before=before,
        limit=limit,
        **people,
    )
    return _given(rows)


async def with_results(
    tx: Tx, caller: Caller, project_id: str, scope: Scope, before: str | None, limit: int
) -> list[ComparedAttempt]:
    """Attempts of completed tasks with the results, newest first.

    Leaves out attempts that are themselves the result, because they were the only one and nobody reviewed them.
    """
    sql = """SELECT h.id, h.task_id, h.teammate_id, t.type, t.params, h.response, t.response AS result
        FROM attempts h CROSS JOIN tasks t
        WHERE h.project_id = :project_id AND t.id = h.task_id AND t.team_id = h.team_id AND t.kind = 'work'
          AND t.status = 'completed' AND t.response IS NOT NULL
          AND (h.wanted > 1 OR t.reviewed)"""
    return await _newest(tx, caller, sql, project_id, scope, before, limit)


async def with_expected(
    tx: Tx, caller: Caller, project_id: str, scope: Scope, before: str | None, limit: int
) -> list[ComparedAttempt]:
    """Attempts at evaluation tasks with the expected responses, newest first."""
    sql = """SELECT h.id, h.task_id, h.teammate_id, t.type, t.params, h.response, y.expected_response AS result
        FROM tasks t CROSS JOIN quality_tasks y CROSS JOIN quality_attempts q CROSS JOIN attempts h
        WHERE t.project_id = :project_id AND t.kind = 'evaluation' AND t.kind <> 'work' AND t.team_id = :team_id
          AND y.task_id = t.id AND y.team_id = t.team_id AND q.task_id = t.id AND q.team_id = t.team_id
          AND h.id = q.id AND h.team_id = q.team_id"""
    return await _newest(tx, caller, sql, project_id, scope, before, limit)


async def side_by_side(
    tx: Tx, caller: Caller, project_id: str, scope: Scope, before: str | None, limit: int
) -> list[ComparedAttempt]:
    """Attempts of tasks that several people do, newest first, without rejected ones."""
    sql = """SELECT h.id, h.task_id, h.teammate_id, t.type, t.params, h.response, NULL AS result
        FROM attempts h CROSS JOIN tasks t
        WHERE h.project_id = :project_id AND t.id = h.task_id AND t.team_id = h.team_id AND t.kind = 'work'
          AND h.wanted > 1 AND h.rejected_at IS NULL"""
    return await _newest(tx, caller, sql, project_id, scope, before, limit)
