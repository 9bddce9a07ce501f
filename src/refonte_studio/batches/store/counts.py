"""The SQL of the number of tasks of a batch in each state: counts, and deltas that are added to them later."""

from collections.abc import Sequence

from refonte_studio.batches.model import Counts
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Mode


async def add(tx: Tx, team_id: str, batch_id: str, pending: int, completed: int, canceled: int) -> None:
    await tx.run(
        """INSERT INTO batch_deltas (team_id, batch_id, pending, completed, canceled)
           VALUES (:team_id, :batch_id, :pending, :completed, :canceled)""",
        team_id=team_id,
        batch_id=batch_id,
        pending=pending,
        completed=completed,
        canceled=canceled,
    )


async def of_batches(tx: Tx, batch_ids: Sequence[str]) -> dict[str, Counts]:
    """Returns the counts by batch. A single statement, so that a concurrent fold is seen entirely or not at all."""
    rows = await tx.all(
        """SELECT batch_id, SUM(pending) AS pending, SUM(completed) AS completed, SUM(canceled) AS canceled
           FROM (SELECT batch_id, pending, completed, canceled FROM batch_counts WHERE batch_id IN :batch_ids[]
                 UNION ALL
                 SELECT batch_id, pending, completed, canceled FROM batch_deltas
                 WHERE batch_id IN :batch_ids[]) AS parts
           GROUP BY batch_id""",
        batch_ids=list(batch_ids),
    )
    return {row["batch_id"]: Counts(row["pending"], row["completed"], row["canceled"]) for row in rows}


async def of_team(tx: Tx, team_id: str, mode: Mode) -> Counts:
    """Returns the counts over all batches of a team and mode, in a single statement for the same reason."""
    row = await tx.one(
        """SELECT COALESCE(SUM(pending), 0) AS pending, COALESCE(SUM(completed), 0) AS completed,
             COALESCE(SUM(canceled), 0) AS canceled
           FROM (SELECT bc.pending, bc.completed, bc.canceled
                 FROM batch_counts bc JOIN batches b ON b.id = bc.batch_id AND b.team_id = bc.team_id
                 WHERE b.team_id = :team_id AND b.mode = :mode
                 UNION ALL
                 SELECT bd.pending, bd.completed, bd.canceled
                 FROM batch_deltas bd JOIN batches b ON b.id = bd.batch_id AND b.team_id = bd.team_id
                 WHERE b.team_id = :team_id AND b.mode = :mode) AS parts""",
        team_id=team_id,
        mode=mode,
    )
    assert row is not None
    return Counts(int(row["pending"]), int(row["completed"]), int(row["canceled"]))


async def oldest_deltas(tx: Tx, limit: int) -> list[int]:
    """Locks and returns the ids of deltas that no other process is folding."""
    rows = await tx.all("SELECT id FROM batch_deltas ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED", limit=limit)
    return [row["id"] for row in rows]


async def fold(tx: Tx, delta_ids: Sequence[int]) -> None:
    """Adds these deltas to the counts, in the order of batches, so that two folds cannot deadlock."""
    await tx.run(
        """INSERT INTO batch_counts (team_id, batch_id, pending, completed, canceled)
           SELECT MIN(team_id), batch_id, SUM(pending), SUM(completed), SUM(canceled)
           FROM batch_deltas WHERE id IN :delta_ids[] GROUP BY batch_id ORDER BY batch_id
           ON CONFLICT (batch_id) DO UPDATE SET
             pending = batch_counts.pending + excluded.pending,
             completed = batch_counts.completed + excluded.completed,
             canceled = batch_counts.canceled + excluded.canceled""",
        delta_ids=list(delta_ids),
    )
    await tx.run("DELETE FROM batch_deltas WHERE id IN :delta_ids[]", delta_ids=list(delta_ids))
