"""Use-cases of how far people have come in batches, which keeps looks for the next task short. Part of the room's
service."""

from refonte_studio.db import Tx
from refonte_studio.dispatch.store import cursors as cursor_store
from refonte_studio.kit.caller import Caller

FORGET_LIMIT = 5_000
REACH_LIMIT = 1_000  # batches whose reach is noted at once


async def advance_cursor(tx: Tx, caller: Caller, batch_id: str) -> None:
    """Keeps the next look into this batch short: it need not go over what this one has gone over."""
    await cursor_store.extend(tx, caller, [batch_id])


async def look_back(tx: Tx, caller: Caller, before: str | None) -> None:
    """The same for batches that come before this one of the queue (None: all), and have nothing for the person."""
    batch_ids = await cursor_store.passed(tx, caller, before, REACH_LIMIT)
    if batch_ids:
        await cursor_store.extend(tx, caller, batch_ids)


async def forget_cursors_ahead(tx: Tx, _now: int) -> int:
    """Forgets up to 5,000 reaches of a database that was taken to another server by a dump, where numbers begin anew;
    answers how many. See `db/stamps.py`."""
    return await cursor_store.forget_ahead(tx, FORGET_LIMIT)
