"""The SQL of dispatch cursors: how far people have come in a batch, where the walk to their next task begins.

A person's cursor in a batch says: of the tasks before `reached` that have an open slot, they have had all but those
whose slots opened after `seen`. It stays true whatever happens later, since a task that opens, or comes in, gets a
commit number larger than any `seen` read before (`db/commit_order.py`). So it may be written late, seldom, or by two
transactions at once; without it nothing is wrong, only slower.
"""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.db.commit_order import COMMIT_NUMBER, COMMITTED_UP_TO
from refonte_studio.dispatch.store.candidates import AHEAD, BEHIND, BY_QUEUE, CURSOR, OPEN_BATCH
from refonte_studio.kit.caller import Caller

_LAST = 2_147_483_647  # where batches without a place in the queue stand


async def extend(tx: Tx, caller: Caller, batch_ids: Sequence[str]) -> None:
    """Writes how far the person has come in these batches."""
    await tx.run(
        f"""INSERT INTO dispatch_cursors (team_id, teammate_id, batch_id, reached, seen)
            SELECT b.team_id, :me, b.id,
              COALESCE(
                ({AHEAD[tx.engine]} ORDER BY w.task_id LIMIT 1),
                (SELECT MAX(w.task_id) || '0' FROM task_slots w
                 WHERE w.batch_id = b.id AND w.open > 0 AND w.task_id >= COALESCE(r.reached, '') AND w.team_id = :team),
                r.reached, ''),
              CASE WHEN EXISTS ({BEHIND[tx.engine]}) THEN r.seen ELSE {COMMITTED_UP_TO[tx.engine]} END
            FROM batches b {CURSOR}
            WHERE b.team_id = :team AND b.id IN :batches[]
            ON CONFLICT (teammate_id, batch_id) DO UPDATE SET reached = excluded.reached, seen = excluded.seen""",
        me=caller.teammate_id,
        team=caller.team_id,
        batches=list(batch_ids),
    )


async def passed(tx: Tx, caller: Caller, before: str | None, limit: int) -> list[str]:
    """Batches open to the person that come before a batch of the queue (None: all) and hold nothing for them, yet have
    an open slot beyond their cursor, which every walk passes over."""
    rows = await tx.all(
        f"""SELECT b.id FROM batches b {CURSOR}
            WHERE {OPEN_BATCH} AND EXISTS (
                SELECT 1 FROM task_slots w WHERE w.batch_id = b.id AND w.open > 0
                  AND w.task_id >= COALESCE(r.reached, '') AND w.team_id = :team)
              AND NOT EXISTS ({AHEAD[tx.engine]})
              AND (CAST(:before AS TEXT) IS NULL OR (COALESCE(b.position, {_LAST}), b.id) < (
                (SELECT COALESCE(f.position, {_LAST}) FROM batches f WHERE f.id = :before AND f.team_id = :team),
                CAST(:before AS TEXT)))
            {BY_QUEUE} LIMIT :limit""",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        project=None,
        batch=None,
        before=before,
        limit=limit,
    )
    return [row["id"] for row in rows]


async def forget_ahead(tx: Tx, limit: int) -> int:
    """Deletes cursors that are ahead of every commit; returns how many."""
    return await tx.run(
        f"""DELETE FROM dispatch_cursors WHERE seen >= {COMMIT_NUMBER[tx.engine]} AND (teammate_id, batch_id) IN (
              SELECT teammate_id, batch_id FROM dispatch_cursors
              WHERE seen >= {COMMIT_NUMBER[tx.engine]} LIMIT :limit)""",
        limit=limit,
    )
