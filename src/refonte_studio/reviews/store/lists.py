"""The SQL of lists for managers: reviews, and tasks that are due for an audit."""

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.reviews.model import AuditDue, ReviewSummary
from refonte_studio.reviews.store.reviews import REVIEW


async def newest(
    tx: Tx, caller: Caller, project_id: str | None, state: str | None, before: str | None, limit: int
) -> list[ReviewSummary]:
    """Returns reviews, newest first."""
    rows = await tx.all(
        f"""SELECT {REVIEW.select("r")}, p.name AS project, b.name AS batch, u.email AS reviewer
            FROM reviews r JOIN projects p ON p.id = r.project_id AND p.team_id = r.team_id
            LEFT JOIN batches b ON b.id = r.batch_id AND b.team_id = r.team_id
            LEFT JOIN teammates u ON u.id = r.reviewer_id AND u.team_id = r.team_id AND r.state <> 'open'
            WHERE r.team_id = :team_id AND r.mode = :mode
              {"" if project_id is None else "AND r.project_id = :project_id"}
              {"" if state is None else "AND r.state = :state"}
              {"" if before is None else "AND r.id < :before"}
            ORDER BY r.id DESC LIMIT :limit""",
        team_id=caller.team_id,
        mode=caller.mode,
        limit=limit,
        **({} if project_id is None else {"project_id": project_id}),
        **({} if state is None else {"state": state}),
        **({} if before is None else {"before": before}),
    )
    return [ReviewSummary(REVIEW.of(row), row["project"], row["batch"], row["reviewer"]) for row in rows]


# Which tasks are audited follows from their ids, so that nobody can choose. The last digits of an id count up within a
# millisecond; turned around, they are spread evenly over tasks made together, too.
_SAMPLED = "substr(t.id, 24, 1) || substr(t.id, 23, 1) || substr(t.id, 22, 1) || substr(t.id, 21, 1) < :bound"


# Completed tasks for work of a project that are sampled, not audited, and neither attempted nor reviewed by the caller.
AUDITS_DUE = f"""SELECT t.id, t.type, t.params, t.response, t.confidence, t.agreement, t.completed_at,
      p.name AS project, b.name AS batch
    FROM tasks t JOIN projects p ON p.id = t.project_id AND p.team_id = t.team_id
    LEFT JOIN batches b ON b.id = t.batch_id AND b.team_id = t.team_id
    WHERE t.project_id = :project_id AND t.team_id = :team_id AND t.mode = :mode AND t.kind = 'work'
      AND {_SAMPLED} AND t.status = 'completed' AND t.review_status IS NULL
      {{behind}}
      AND NOT EXISTS (SELECT 1 FROM attempts h
        WHERE h.task_id = t.id AND h.teammate_id = :me AND h.team_id = :team_id)
      AND NOT EXISTS (SELECT 1 FROM reviews r
        WHERE r.task_id = t.id AND r.reviewer_id = :me AND r.team_id = :team_id
          AND r.state IN ('accepted', 'fixed', 'rejected'))
    ORDER BY t.id LIMIT :limit"""


async def audits_due(
    tx: Tx, caller: Caller, project_id: str, bound: str, after: str | None, limit: int
) -> list[AuditDue]:
    """Returns a project's completed tasks for work that are sampled, not audited, and neither attempted nor reviewed by
    the caller, oldest first."""
    rows = await tx.all(
        AUDITS_DUE.format(behind="" if after is None else "AND t.id > :after"),
        project_id=project_id,
        team_id=caller.team_id,
        mode=caller.mode,
        me=caller.teammate_id,
        bound=bound,
        limit=limit,
        **({} if after is None else {"after": after}),
    )
    return [
        AuditDue(
            task_id=row["id"],
            project=row["project"],
            batch=row["batch"],
            type=row["type"],
            params=row["params"],
            response=row["response"],
            confidence=row["confidence"],
            agreement=row["agreement"],
            completed_at=row["completed_at"],
        )
        for row in rows
    ]
