"""Whether the database serves."""

from refonte_studio.db.engine import Tx


async def probe(tx: Tx) -> None:
    """Does nothing but reach the database; as a write it also takes what a write has to wait for."""
    await tx.one("SELECT 1 AS one")
