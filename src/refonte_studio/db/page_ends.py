"""Where pages of lists ended, for clients that ask for the next one by `offset`.

A list that is newest first moves on while it is read: what is made meanwhile pushes the rest down, and an offset shows
an entry a second time. So the server keeps, for a short while, after which entry each such page ended, and begins the
next page there. What is kept belongs to one key or session and to one set of filters.
"""

from refonte_studio.db.engine import Tx
from refonte_studio.kit.clock import MINUTE_MS

KEPT_MS = 10 * MINUTE_MS


async def end_before(tx: Tx, team_id: str, holder: str, question: str, place: int, now: int) -> str | None:
    """The id of the entry before the place that is counted from 0, if a page ended there of late."""
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
    """Notes that a page ended before this place, with the entry of this id. Forgets what the holder no longer needs."""
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
