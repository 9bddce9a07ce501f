"""Dispatch cursors: how far people have come in batches, so that the walk to their next task stays short."""

from refonte_studio.db import Tx
from refonte_studio.dispatch.store import cursors as cursor_store
from refonte_studio.kit.caller import Caller

FORGET_LIMIT = 5_000
REACH_LIMIT = 1_000  # batches whose cursors are written at once


async def advance_cursor(tx: Tx, caller: Caller, batch_id: str) -> None:
    """Moves the person's cursor in this batch, so that the next walk does not repeat what this one passed."""
    await cursor_store.extend(tx, caller, [batch_id])


async def look_back(tx: Tx, caller: Caller, before: str | None) -> None:
    """Moves the cursors in the batches before this one in the queue (None: all) that have nothing for the person."""
    batch_ids = await cursor_store.passed(tx, caller, before, REACH_LIMIT)
    if batch_ids:
        await cursor_store.extend(tx, caller, batch_ids)


async def forget_cursors_ahead(tx: Tx, _now: int) -> int:
    """Deletes up to 5,000 cursors of a database that was moved to another server by a dump, where commit numbers start
    again; returns how many. See `db/commit_order.py`."""
    return await cursor_store.forget_ahead(tx, FORGET_LIMIT)
