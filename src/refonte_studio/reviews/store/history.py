"""The SQL of a task's history: from the rows of its claims, attempts, reviews and audits."""

from collections.abc import Sequence

from refonte_studio.db import Row, Tx

_CLAIM = """SELECT c.id AS id, c.state, c.claimed_at, c.ended_at, c.reason, t.email, a.round, a.started_at,
      a.submitted_at, a.rejected_at, a.imported, i.email AS imported_by
    FROM claims c JOIN teammates t ON t.id = c.teammate_id AND t.team_id = c.team_id
    LEFT JOIN attempts a ON a.id = c.id AND a.team_id = c.team_id
    LEFT JOIN teammates i ON i.id = a.imported_by AND i.team_id = a.team_id
    WHERE c.task_id = :task_id AND c.team_id = :team_id"""


async def claims(tx: Tx, team_id: str, task_id: str, limit: int) -> Sequence[Row]:
    """Every claim of a task, with the attempt that it became, the oldest first. In two parts, each by its index.

    Without those that only keep reviewers from the task: they have had no lease.
    """
    return await tx.all(
        f"""{_CLAIM} AND c.state IN ('held', 'submitted', 'skipped')
              AND NOT (c.state = 'skipped' AND c.lease_expires_at <= c.claimed_at)
            UNION ALL {_CLAIM} AND c.state IN ('released', 'expired', 'ended', 'retaken')
            ORDER BY id LIMIT :limit""",
        task_id=task_id,
        team_id=team_id,
        limit=limit,
    )


async def reviews(tx: Tx, team_id: str, task_id: str, limit: int) -> Sequence[Row]:
    """The reviews of a task."""
    return await tx.all(
        """SELECT r.level, r.state, r.reason, r.comments, r.sent_to, r.created_at, r.started_at, r.decided_at, t.email
           FROM reviews r LEFT JOIN teammates t ON t.id = r.reviewer_id AND t.team_id = r.team_id
           WHERE r.task_id = :task_id AND r.team_id = :team_id ORDER BY r.id LIMIT :limit""",
        task_id=task_id,
        team_id=team_id,
        limit=limit,
    )


async def audits(tx: Tx, team_id: str, task_id: str, limit: int) -> Sequence[Row]:
    """The audits of a task."""
    return await tx.all(
        """SELECT a.accepted, a.comments, a.created_at, t.email
           FROM audits a JOIN teammates t ON t.id = a.teammate_id AND t.team_id = a.team_id
           WHERE a.task_id = :task_id AND a.team_id = :team_id ORDER BY a.id LIMIT :limit""",
        task_id=task_id,
        team_id=team_id,
        limit=limit,
    )
