"""The SQL of forecasts: what is left of batches, who may work them, and what people have done of late."""

from collections.abc import Sequence

from refonte_studio.analytics.store.figures import earliest_id
from refonte_studio.db import Row, Tx
from refonte_studio.kit.caller import Caller


async def left(tx: Tx, team_id: str, batch_ids: Sequence[str]) -> dict[str, Row]:
    """Of each batch with pending tasks: `remaining` attempts, the `tasks` that want them, the most that one of these
    is `wanted` in all, and tasks that are in `reviewing`."""
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
    return {row["batch_id"]: row for row in rows}


async def may_work(tx: Tx, team_id: str, batch_ids: Sequence[str], limit: int) -> Sequence[Row]:
    """(project_id, teammate_id, since) of everybody active who is assigned to a project of these batches, and not
    paused in it."""
    return await tx.all(
        """SELECT s.project_id, s.teammate_id, s.created_at AS since
           FROM assignments s JOIN teammates t ON t.id = s.teammate_id AND t.team_id = s.team_id
           WHERE s.project_id IN (SELECT b.project_id FROM batches b WHERE b.id IN :batch_ids[] AND b.team_id = :team_id)
             AND s.team_id = :team_id AND s.paused_at IS NULL AND NOT s.archived AND t.state = 'active'
           ORDER BY s.teammate_id, s.project_id LIMIT :limit""",
        batch_ids=list(batch_ids),
        team_id=team_id,
        limit=limit,
    )


async def members(tx: Tx, team_id: str, batch_ids: Sequence[str]) -> Sequence[Row]:
    """(batch_id, teammate_id) of those in the groups that batches are given to; teammate_id is NULL for a group without
    members. A batch that is given to no group is absent."""
    return await tx.all(
        """SELECT g.batch_id, m.teammate_id
           FROM batch_groups g LEFT JOIN group_members m ON m.group_id = g.group_id AND m.team_id = g.team_id
           WHERE g.batch_id IN :batch_ids[] AND g.team_id = :team_id""",
        batch_ids=list(batch_ids),
        team_id=team_id,
    )


async def had(tx: Tx, team_id: str, batch_ids: Sequence[str]) -> Sequence[Row]:
    """(batch_id, teammate_id, tasks): how many tasks of a batch that still want attempts each person has had."""
    return await tx.all(
        """SELECT p.batch_id, c.teammate_id, COUNT(*) AS tasks
           FROM task_slots p JOIN claims c ON c.task_id = p.task_id AND c.team_id = p.team_id
             AND c.state IN ('held', 'submitted', 'skipped')
           WHERE p.batch_id IN :batch_ids[] AND p.team_id = :team_id AND p.attempts > 0 AND p.wanted > p.attempts
             AND NOT p.reviewing AND c.state IN ('submitted', 'skipped')
           GROUP BY p.batch_id, c.teammate_id""",
        batch_ids=list(batch_ids),
        team_id=team_id,
    )


async def worked(tx: Tx, caller: Caller, people: Sequence[str], start: int, now: int) -> Sequence[Row]:
    """(teammate_id, project_id, ago, attempts, active_ms): work attempts, and the time they took, by how many whole
    hours ago they were submitted."""
    return await tx.all(
        """SELECT teammate_id, project_id, ago, COUNT(*) AS attempts, CAST(SUM(active) AS BIGINT) AS active_ms
           FROM (
             SELECT a.teammate_id, a.project_id, (CAST(:now AS BIGINT) - a.submitted_at) / 3600000 AS ago,
               a.submitted_at - a.started_at AS active
             FROM attempts a
             WHERE a.teammate_id IN :teammate_ids[] AND a.id >= :first_id AND a.team_id = :team_id AND a.mode = :mode
               AND a.submitted_at > :start AND a.submitted_at <= :now AND a.batch_id IS NOT NULL
               AND NOT a.imported) AS each_one
           GROUP BY teammate_id, project_id, ago""",
        teammate_ids=list(people),
        first_id=earliest_id(start),
        team_id=caller.team_id,
        mode=caller.mode,
        start=start,
        now=now,
    )


async def began(tx: Tx, team_id: str, people: Sequence[str]) -> dict[str, int]:
    """When each of these people submitted their first attempt; those who never did are absent."""
    rows = await tx.all(
        """SELECT t.id, (SELECT a.submitted_at FROM attempts a
             WHERE a.teammate_id = t.id AND a.team_id = :team_id ORDER BY a.id LIMIT 1) AS began
           FROM teammates t WHERE t.team_id = :team_id AND t.id IN :teammate_ids[]""",
        team_id=team_id,
        teammate_ids=list(people),
    )
    return {row["id"]: row["began"] for row in rows if row["began"] is not None}
