"""The SQL of a task's history: its claims, attempts, reviews and audits."""

from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.reviews.model import PastAudit, PastClaim, PastReview

_PAST_CLAIM = Record(PastClaim)
_PAST_REVIEW = Record(PastReview)
_PAST_AUDIT = Record(PastAudit)
_CLAIM = """SELECT c.id AS id, c.state, c.claimed_at, c.ended_at, c.reason, u.email, h.round, h.started_at,
      h.submitted_at, h.rejected_at, h.imported, u_importer.email AS imported_by
    FROM claims c JOIN teammates u ON u.id = c.teammate_id AND u.team_id = c.team_id
    LEFT JOIN attempts h ON h.id = c.id AND h.team_id = c.team_id
    LEFT JOIN teammates u_importer ON u_importer.id = h.imported_by AND u_importer.team_id = h.team_id
    WHERE c.task_id = :task_id AND c.team_id = :team_id"""


async def claims(tx: Tx, team_id: str, task_id: str, limit: int) -> list[PastClaim]:
    """Every claim of a task, with the attempt that it became, the oldest first. In two parts, each by its index.

    Leaves out claims with a zero-length lease, which mark that a reviewer is blocked from the task.
    """
    rows = await tx.all(
        f"""{_CLAIM} AND c.state IN ('held', 'submitted', 'skipped')
              AND NOT (c.state = 'skipped' AND c.lease_expires_at <= c.claimed_at)
            UNION ALL {_CLAIM} AND c.state IN ('released', 'expired', 'ended', 'retaken')
            ORDER BY id LIMIT :limit""",
        task_id=task_id,
        team_id=team_id,
        limit=limit,
    )
    return [_PAST_CLAIM.of(row) for row in rows]


async def reviews(tx: Tx, team_id: str, task_id: str, limit: int) -> list[PastReview]:
    """Returns the reviews of a task."""
    rows = await tx.all(
        """SELECT r.level, r.state, r.reason, r.comments, r.sent_to, r.created_at, r.started_at, r.decided_at, u.email
           FROM reviews r LEFT JOIN teammates u ON u.id = r.reviewer_id AND u.team_id = r.team_id
           WHERE r.task_id = :task_id AND r.team_id = :team_id ORDER BY r.id LIMIT :limit""",
        task_id=task_id,
        team_id=team_id,
        limit=limit,
    )
    return [_PAST_REVIEW.of(row) for row in rows]


async def audits(tx: Tx, team_id: str, task_id: str, limit: int) -> list[PastAudit]:
    """Returns the audits of a task."""
    rows = await tx.all(
        """SELECT x.accepted, x.comments, x.created_at, u.email
           FROM audits x JOIN teammates u ON u.id = x.teammate_id AND u.team_id = x.team_id
           WHERE x.task_id = :task_id AND x.team_id = :team_id ORDER BY x.id LIMIT :limit""",
        task_id=task_id,
        team_id=team_id,
        limit=limit,
    )
    return [_PAST_AUDIT.of(row) for row in rows]
