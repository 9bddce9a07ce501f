"""The SQL of reviews.

Lock order, everywhere: the row of the task's slots, then of the review, then of the batch.
"""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.kit.caller import Caller
from refonte_studio.reviews.model import AttemptUnderReview, Review, TaskUnderReview

REVIEW = Record(Review)
_TASK = Record(TaskUnderReview)


async def insert(tx: Tx, review: Review) -> None:
    """Inserts a new, open review."""
    await tx.insert("reviews", REVIEW.columns, [REVIEW.values(review)])


# What is not a person's own work: they have never attempted the task (r: its review), nor fixed it, nor accepted it
# at an earlier level since it was last rejected.
NOT_MINE = """NOT EXISTS (SELECT 1 FROM attempts h
        WHERE h.task_id = r.task_id AND h.teammate_id = :me AND h.team_id = :team_id)
      AND NOT EXISTS (SELECT 1 FROM reviews r_own
        WHERE r_own.task_id = r.task_id AND r_own.reviewer_id = :me AND r_own.team_id = :team_id
          AND (r_own.state = 'fixed' OR (r_own.state = 'accepted' AND r_own.id > COALESCE(
            (SELECT MAX(r_rejected.id) FROM reviews r_rejected
             WHERE r_rejected.task_id = r.task_id AND r_rejected.state = 'rejected'
               AND r_rejected.team_id = :team_id), ''))))"""


async def held(tx: Tx, caller: Caller) -> Review | None:
    """Returns the review that the person holds, even if its lease has expired."""
    row = await tx.one(
        f"""SELECT {REVIEW.select("r")} FROM reviews r
            WHERE r.reviewer_id = :me AND r.mode = :mode AND r.state = 'held' AND r.team_id = :team_id""",
        me=caller.teammate_id,
        mode=caller.mode,
        team_id=caller.team_id,
    )
    return REVIEW.of(row) if row else None


def _oldest(lock: str) -> str:
    """The oldest review that the person may do, of the oldest in each of the projects that they review."""
    return f"""SELECT (SELECT r.id FROM reviews r
          WHERE r.project_id = rv.project_id AND r.state = 'open' AND r.mode = :mode AND r.team_id = :team_id
            AND (CAST(:batch_id AS TEXT) IS NULL OR r.batch_id = :batch_id) AND {NOT_MINE}
          ORDER BY r.id LIMIT 1 {lock}) AS id
        FROM reviewers rv JOIN projects p ON p.id = rv.project_id AND p.team_id = rv.team_id AND p.archived_at IS NULL
        WHERE rv.teammate_id = :me AND rv.team_id = :team_id
          AND (CAST(:project_id AS TEXT) IS NULL OR rv.project_id = :project_id)
        ORDER BY id NULLS LAST LIMIT 1"""


_UNLOCKED = _oldest("FOR UPDATE SKIP LOCKED")
_ANY = _oldest("")


async def oldest_unlocked(tx: Tx, caller: Caller, project_id: str | None, batch_id: str | None) -> str | None:
    """Returns the oldest open review that the person may do and that no other transaction has locked."""
    return await _find(tx, _UNLOCKED, caller, project_id, batch_id)


async def oldest(tx: Tx, caller: Caller, project_id: str | None, batch_id: str | None) -> str | None:
    """The oldest open review that the person may do."""
    return await _find(tx, _ANY, caller, project_id, batch_id)


async def _find(tx: Tx, sql: str, caller: Caller, project_id: str | None, batch_id: str | None) -> str | None:
    row = await tx.one(
        sql, me=caller.teammate_id, team_id=caller.team_id, mode=caller.mode, project_id=project_id, batch_id=batch_id
    )
    return row["id"] if row else None


async def hold(tx: Tx, caller: Caller, review_id: str, now: int, expires: int) -> bool:
    """Gives an open review to a reviewer of its project; returns False if it is taken or they are no longer a reviewer.

    Until this transaction ends, nobody can remove or disable the reviewer.
    """
    return bool(
        await tx.run(
            """UPDATE reviews SET state = 'held', reviewer_id = :me, started_at = :now,
                 lease_expires_at = :lease_expires_at
               WHERE id = :review_id AND team_id = :team_id AND state = 'open' AND EXISTS (
                 SELECT 1 FROM reviewers rv JOIN teammates u ON u.id = rv.teammate_id AND u.team_id = rv.team_id
                 WHERE rv.teammate_id = :me AND rv.project_id = reviews.project_id AND rv.team_id = :team_id
                   AND u.state = 'active' FOR SHARE)""",
            review_id=review_id,
            team_id=caller.team_id,
            me=caller.teammate_id,
            now=now,
            lease_expires_at=expires,
        )
    )


async def of_reviewer(tx: Tx, caller: Caller, review_id: str) -> Review | None:
    """Returns a review that this person holds, held last, or has decided."""
    row = await tx.one(
        f"""SELECT {REVIEW.select("r")} FROM reviews r
            WHERE r.id = :review_id AND r.reviewer_id = :me AND r.mode = :mode AND r.team_id = :team_id""",
        review_id=review_id,
        me=caller.teammate_id,
        mode=caller.mode,
        team_id=caller.team_id,
    )
    return REVIEW.of(row) if row else None


async def task_of(tx: Tx, review: Review) -> TaskUnderReview:
    """Returns the task's type, parameters and confidence, and the names of its project and batch."""
    row = await tx.one(
        """SELECT t.type, t.params, t.confidence, p.name AS project, b.name AS batch
           FROM tasks t JOIN projects p ON p.id = t.project_id AND p.team_id = t.team_id
           JOIN batches b ON b.id = t.batch_id AND b.team_id = t.team_id
           WHERE t.id = :task_id AND t.team_id = :team_id""",
        task_id=review.task_id,
        team_id=review.team_id,
    )
    assert row is not None, f"review {review.id} is of a task that does not exist"
    return _TASK.of(row)


async def answers(tx: Tx, review: Review) -> list[AttemptUnderReview]:
    """Returns the attempts that lead to the proposed response, in their order."""
    rows = await tx.all(
        """SELECT h.response, h.submitted_at, h.imported, u_importer.email AS imported_by
           FROM attempts h
           LEFT JOIN teammates u_importer ON u_importer.id = h.imported_by AND u_importer.team_id = h.team_id
           WHERE h.task_id = :task_id AND h.team_id = :team_id AND h.rejected_at IS NULL ORDER BY h.number, h.id""",
        task_id=review.task_id,
        team_id=review.team_id,
    )
    return [
        AttemptUnderReview(row["response"], row["submitted_at"], bool(row["imported"]), row["imported_by"])
        for row in rows
    ]


async def decide(tx: Tx, review: Review, now: int) -> bool:
    """Stores a decision (`review` is the state after it); returns False if the review is lost."""
    return bool(
        await tx.run(
            """UPDATE reviews SET state = :state, comments = :comments, response = :response, sent_to = :sent_to,
                 decided_at = :now
               WHERE id = :review_id AND team_id = :team_id AND state = 'held' AND reviewer_id = :reviewer_id
                 AND lease_expires_at > :now""",
            review_id=review.id,
            team_id=review.team_id,
            reviewer_id=review.reviewer_id,
            state=review.state.value,
            comments=review.comments,
            response=review.response,
            sent_to=review.sent_to,
            now=now,
        )
    )


async def extend(tx: Tx, review: Review, expires: int) -> bool:
    """Renews the lease of a held review."""
    return bool(
        await tx.run(
            """UPDATE reviews SET lease_expires_at = :lease_expires_at
               WHERE id = :review_id AND team_id = :team_id AND state = 'held' AND reviewer_id = :reviewer_id""",
            review_id=review.id,
            team_id=review.team_id,
            reviewer_id=review.reviewer_id,
            lease_expires_at=expires,
        )
    )


async def release(tx: Tx, review: Review) -> bool:
    """Reopens a held review; returns False if it is lost. A NULL lease marks a release, not an expired lease."""
    return bool(
        await tx.run(
            """UPDATE reviews SET state = 'open', started_at = NULL, lease_expires_at = NULL
               WHERE id = :review_id AND team_id = :team_id AND state = 'held' AND reviewer_id = :reviewer_id""",
            review_id=review.id,
            team_id=review.team_id,
            reviewer_id=review.reviewer_id,
        )
    )


async def expire(tx: Tx, now: int, limit: int) -> int:
    """Reopens held reviews of every team whose lease has expired; returns their number."""
    return await tx.run(
        """UPDATE reviews SET state = 'open', started_at = NULL
           WHERE state = 'held' AND id IN (
             SELECT r.id FROM reviews r WHERE r.state = 'held' AND r.lease_expires_at <= :now
             ORDER BY r.id LIMIT :limit FOR UPDATE SKIP LOCKED)""",
        now=now,
        limit=limit,
    )


async def expire_own(tx: Tx, review: Review, now: int) -> None:
    """Reopens a held review whose lease has expired."""
    await tx.run(
        """UPDATE reviews SET state = 'open', started_at = NULL
           WHERE id = :review_id AND team_id = :team_id AND state = 'held' AND reviewer_id = :reviewer_id
             AND lease_expires_at <= :now""",
        review_id=review.id,
        team_id=review.team_id,
        reviewer_id=review.reviewer_id,
        now=now,
    )


async def expire_of_team(tx: Tx, team_id: str, now: int, limit: int) -> int:
    """Reopens held reviews of one team whose lease has expired; returns their number."""
    return await tx.run(
        """UPDATE reviews SET state = 'open', started_at = NULL
           WHERE state = 'held' AND team_id = :team_id AND id IN (
             SELECT r.id FROM reviews r WHERE r.state = 'held' AND r.team_id = :team_id AND r.lease_expires_at <= :now
             ORDER BY r.id LIMIT :limit FOR UPDATE SKIP LOCKED)""",
        team_id=team_id,
        now=now,
        limit=limit,
    )


async def open_held_by(tx: Tx, team_id: str, teammate_ids: Sequence[str], project_id: str | None) -> None:
    """Reopens the reviews that these people hold, in one project or in all."""
    await tx.run(
        f"""UPDATE reviews SET state = 'open', started_at = NULL
            WHERE reviewer_id IN :teammate_ids[] AND state = 'held' AND team_id = :team_id
            {"" if project_id is None else "AND project_id = :project_id"}""",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
        **({} if project_id is None else {"project_id": project_id}),
    )


async def end(tx: Tx, team_id: str, task_ids: Sequence[str], now: int) -> None:
    """Ends the undecided reviews of these tasks."""
    await tx.run(
        """UPDATE reviews SET state = 'ended', decided_at = :now
           WHERE task_id IN :task_ids[] AND state IN ('open', 'held') AND team_id = :team_id""",
        team_id=team_id,
        task_ids=list(task_ids),
        now=now,
    )


async def goes_on(tx: Tx, review: Review) -> bool:
    """Returns whether another level or round of the task's review follows this one."""
    row = await tx.one(
        "SELECT id FROM reviews WHERE task_id = :task_id AND id > :review_id AND team_id = :team_id LIMIT 1",
        task_id=review.task_id,
        review_id=review.id,
        team_id=review.team_id,
    )
    return row is not None


async def comments_on(tx: Tx, caller: Caller, task_id: str, before: int) -> list[str]:
    """Returns the comments with which the person's attempts were rejected and sent back to them, up to `before`."""
    rows = await tx.all(
        """SELECT r.comments FROM reviews r
           JOIN attempts h ON h.task_id = r.task_id AND h.rejected_at = r.decided_at AND h.team_id = r.team_id
           WHERE r.task_id = :task_id AND r.state = 'rejected' AND r.sent_to = 'same' AND r.team_id = :team_id
             AND r.decided_at <= :before AND h.teammate_id = :me
           ORDER BY r.id""",
        task_id=task_id,
        team_id=caller.team_id,
        me=caller.teammate_id,
        before=before,
    )
    return [row["comments"] for row in rows]
