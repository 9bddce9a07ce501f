"""The SQL of forecasts: the remaining work of batches, who may do it, and people's recent work."""

from collections.abc import Sequence

from refonte_studio.analytics.model import AssignedPerson, BatchRemainder, HourOfWork
from refonte_studio.analytics.store.figures import earliest_id
from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.kit.caller import Caller

_REMAINDER = Record(BatchRemainder)
_ASSIGNED = Record(AssignedPerson)
_HOUR = Record(HourOfWork)


async def left(tx: Tx, team_id: str, batch_ids: Sequence[str]) -> dict[str, BatchRemainder]:
    """What is left of each batch with pending tasks."""
    rows = await tx.all(
        """SELECT batch_id, SUM(CASE WHEN wanted > attempts AND NOT reviewing THEN wanted - attempts ELSE 0 END)
             AS remaining,
             SUM(CASE WHEN wanted > attempts AND NOT reviewing THEN 1 ELSE 0 END) AS tasks,
             MAX(CASE WHEN wanted > attempts AND NOT reviewing THEN wanted ELSE 0 END) AS wanted,
             SUM(CASE WHEN reviewing THEN 1 ELSE 0 END) AS reviewing
           FROM task_slots WHERE batch_id IN :batch_ids[] AND team_id = :team_id GROUP BY batch_id""",
        batch_ids=list(batch_ids),
        team_id=team_id,
    )
    return {row["batch_id"]: _REMAINDER.of(row) for row in rows}


async def may_work(tx: Tx, team_id: str, batch_ids: Sequence[str], limit: int) -> list[AssignedPerson]:
    """Everybody active who is assigned to a project of these batches, and not paused in it."""
    rows = await tx.all(
        """SELECT a.project_id, a.teammate_id, a.created_at AS since
           FROM assignments a JOIN teammates u ON u.id = a.teammate_id AND u.team_id = a.team_id
           WHERE a.project_id IN (
               SELECT b.project_id FROM batches b WHERE b.id IN :batch_ids[] AND b.team_id = :team_id)
             AND a.team_id = :team_id AND a.paused_at IS NULL AND NOT a.archived AND u.state = 'active'
           ORDER BY a.teammate_id, a.project_id LIMIT :limit""",
        batch_ids=list(batch_ids),
        team_id=team_id,
        limit=limit,
    )
    return [_ASSIGNED.of(row) for row in rows]


async def members(tx: Tx, team_id: str, batch_ids: Sequence[str]) -> list[tuple[str, str | None]]:
    """(batch_id, teammate_id) of the members of the groups that batches are assigned to. teammate_id is NULL for a
    group without members, and batches without groups are absent."""
    rows = await tx.all(
        """SELECT g.batch_id, m.teammate_id
           FROM batch_groups g LEFT JOIN group_members m ON m.group_id = g.group_id AND m.team_id = g.team_id
           WHERE g.batch_id IN :batch_ids[] AND g.team_id = :team_id""",
        batch_ids=list(batch_ids),
        team_id=team_id,
    )
    return [(row["batch_id"], row["teammate_id"]) for row in rows]


async def had(tx: Tx, team_id: str, batch_ids: Sequence[str]) -> list[tuple[str, str, int]]:
    """(batch_id, teammate_id, tasks): how many tasks of a batch that still need attempts each person already had."""
    rows = await tx.all(
        """SELECT s.batch_id, c.teammate_id, COUNT(*) AS tasks
           FROM task_slots s JOIN claims c ON c.task_id = s.task_id AND c.team_id = s.team_id
             AND c.state IN ('held', 'submitted', 'skipped')
           WHERE s.batch_id IN :batch_ids[] AND s.team_id = :team_id AND s.attempts > 0 AND s.wanted > s.attempts
             AND NOT s.reviewing AND c.state IN ('submitted', 'skipped')
           GROUP BY s.batch_id, c.teammate_id""",
        batch_ids=list(batch_ids),
        team_id=team_id,
    )
    return [(row["batch_id"], row["teammate_id"], row["tasks"]) for row in rows]


async def worked(tx: Tx, caller: Caller, people: Sequence[str], start: int, now: int) -> list[HourOfWork]:
    """Attempts at work tasks, and the time they took, by how many whole hours ago they were submitted."""
    rows = await tx.all(
        """SELECT teammate_id, project_id, ago, COUNT(*) AS attempts, CAST(SUM(active) AS BIGINT) AS active_ms
           FROM (
             SELECT h.teammate_id, h.project_id, (CAST(:now AS BIGINT) - h.submitted_at) / 3600000 AS ago,
               h.submitted_at - h.started_at AS active
             FROM attempts h
             WHERE h.teammate_id IN :teammate_ids[] AND h.id >= :first_id AND h.team_id = :team_id AND h.mode = :mode
               AND h.submitted_at > :start AND h.submitted_at <= :now AND h.batch_id IS NOT NULL
               AND NOT h.imported) AS each_one
           GROUP BY teammate_id, project_id, ago""",
        teammate_ids=list(people),
        first_id=earliest_id(start),
        team_id=caller.team_id,
        mode=caller.mode,
        start=start,
        now=now,
    )
    return [_HOUR.of(row) for row in rows]


async def began(tx: Tx, team_id: str, people: Sequence[str]) -> dict[str, int]:
    """When each of these people submitted their first attempt. People without attempts are absent."""
    rows = await tx.all(
        """SELECT u.id, (SELECT h.submitted_at FROM attempts h
             WHERE h.teammate_id = u.id AND h.team_id = :team_id ORDER BY h.id LIMIT 1) AS began
           FROM teammates u WHERE u.team_id = :team_id AND u.id IN :teammate_ids[]""",
        team_id=team_id,
        teammate_ids=list(people),
    )
    return {row["id"]: row["began"] for row in rows if row["began"] is not None}
