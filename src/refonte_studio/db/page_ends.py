"""Where pages of lists ended, for clients that request the next page by `offset`.

A list with the newest row first changes while it is read: new rows move the others down, so an offset would repeat a
row. The server therefore remembers for a short time the last row of each such page, and starts the next page after it.
Each entry belongs to one key or session and one set of filters.
"""

from refonte_studio.db.engine import Tx
from refonte_studio.kit.clock import MINUTE_MS

KEPT_MS = 10 * MINUTE_MS


async def end_before(tx: Tx, team_id: str, holder: str, question: str, place: int, now: int) -> str | None:
    """Returns the id of the last row before this offset, if a page recently ended there."""
    row = await tx.one(
        """SELECT last_id FROM page_ends
           WHERE holder = :holder AND question = :question AND place = :place AND team_id = :team_id
             AND ended_at > :since""",
        team_id=team_id,
        holder=holder,
        question=question,
        place=place,
        since=now - KEPT_MS,
    )
    return row["last_id"] if row else None


async def keep_end(tx: Tx, team_id: str, holder: str, question: str, place: int, last_id: str, now: int) -> None:
    """Records that a page ended before this offset, with this last row. Removes entries that the holder no longer
    needs."""
    await tx.run(
        "DELETE FROM page_ends WHERE holder = :holder AND team_id = :team_id AND ended_at <= :since",
        team_id=team_id,
        holder=holder,
        since=now - KEPT_MS,
    )
    await tx.run(
        """INSERT INTO page_ends (team_id, holder, question, place, last_id, ended_at)
           VALUES (:team_id, :holder, :question, :place, :last_id, :now)
           ON CONFLICT (holder, question, place)
           DO UPDATE SET last_id = excluded.last_id, ended_at = excluded.ended_at""",
        team_id=team_id,
        holder=holder,
        question=question,
        place=place,
        last_id=last_id,
        now=now,
    )
