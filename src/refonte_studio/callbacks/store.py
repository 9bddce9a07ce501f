"""The SQL of the outbox."""

from collections.abc import Sequence
from typing import Any

from refonte_studio.callbacks.model import AGAIN, Callback, CallbackEvent, CallbackState, lane
from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.kit.caller import Mode

_CALLBACK = Record(Callback)
_COLUMNS = _CALLBACK.select()
_INSERTED = (
    *("id", "team_id", "mode", "url", "event", "subject_id"),
    *("state", "tries", "next_try_at", "created_at", "lane"),
)


async def insert(
    tx: Tx, team_id: str, mode: Mode, event: CallbackEvent, rows: Sequence[tuple[str, str, str]], now: int
) -> None:
    """Inserts waiting callbacks, due at once: (id, URL, subject id)."""
    await tx.insert(
        "callbacks",
        _INSERTED,
        [
            (
                id_,
                team_id,
                mode,
                url,
                event.value,
                subject,
                CallbackState.WAITING.value,
                0,
                now,
                now,
                lane(team_id, event, url),
            )
            for id_, url, subject in rows
        ],
    )


# The lanes in which something is due. The first query jumps from lane to lane by the index of waiting callbacks, so
# that it reads one row of each lane, however many wait there.
LANES_DUE = """WITH RECURSIVE lanes (lane) AS (
    SELECT MIN(cb.lane) FROM callbacks cb WHERE cb.state = 'waiting'
    UNION ALL
    SELECT (SELECT MIN(cb.lane) FROM callbacks cb WHERE cb.state = 'waiting' AND cb.lane > lanes.lane)
    FROM lanes WHERE lanes.lane IS NOT NULL)
  SELECT first_due.lane, first_due.since
  FROM (
    SELECT lanes.lane,
      (SELECT MIN(cb.next_try_at) FROM callbacks cb WHERE cb.state = 'waiting' AND cb.lane = lanes.lane) AS since
    FROM lanes WHERE lanes.lane IS NOT NULL) AS first_due
  WHERE first_due.since <= :now"""


async def lanes_due(tx: Tx, now: int) -> dict[str, int]:
    """Returns the lanes with due callbacks, and since when. The cost depends on the number of lanes, not of
    callbacks."""
    rows = await tx.all(
        LANES_DUE,
        now=now,
    )
    return {row["lane"]: row["since"] for row in rows}


async def begin_tries(tx: Tx, name: str, now: int, lost_at: int, limit: int) -> list[Callback]:
    """Takes due callbacks of this lane, so that nobody else takes them before `lost_at`."""
    rows = await tx.all(
        f"""UPDATE callbacks SET tries = tries + 1, next_try_at = :lost_at
            WHERE id IN (
              SELECT id FROM callbacks
              WHERE state = 'waiting' AND lane = :lane AND next_try_at <= :now
              ORDER BY next_try_at, id LIMIT :limit FOR UPDATE SKIP LOCKED)
            RETURNING {_COLUMNS}""",
        lane=name,
        now=now,
        lost_at=lost_at,
        limit=limit,
    )
    return sorted((_CALLBACK.of(row) for row in rows), key=lambda callback: callback.id)


async def end_try(
    tx: Tx,
    callback: Callback,
    state: CallbackState,
    next_try_at: int,
    last_error: str | None,
    delivered_at: int | None,
    name: str,
) -> bool:
    """Records the result of this try, unless another one has started since, and moves the callback to the named
    lane."""
    changed = await tx.run(
        """UPDATE callbacks SET state = :state, next_try_at = :next_try_at, last_error = :last_error,
             delivered_at = :delivered_at, lane = :lane
           WHERE id = :callback_id AND team_id = :team_id AND state = 'waiting' AND tries = :tries""",
        callback_id=callback.id,
        team_id=callback.team_id,
        tries=callback.tries,
        state=state.value,
        next_try_at=next_try_at,
        last_error=last_error,
        delivered_at=delivered_at,
        lane=name,
    )
    return changed == 1


async def callback(tx: Tx, team_id: str, mode: Mode, callback_id: str) -> Callback | None:
    row = await tx.one(
        f"SELECT {_COLUMNS} FROM callbacks WHERE id = :callback_id AND team_id = :team_id AND mode = :mode",
        callback_id=callback_id,
        team_id=team_id,
        mode=mode,
    )
    return _CALLBACK.of(row) if row else None


async def start_over(tx: Tx, team_id: str, mode: Mode, callback_id: str, now: int) -> Callback | None:
    """Makes the callback due now, with all its tries again. None if it does not exist."""
    row: Any = await tx.one(
        f"""UPDATE callbacks SET state = 'waiting', tries = 0, next_try_at = :now, last_error = NULL,
              delivered_at = NULL, lane = REPLACE(lane, '{AGAIN}', '')
            WHERE id = :callback_id AND team_id = :team_id AND mode = :mode RETURNING {_COLUMNS}""",
        callback_id=callback_id,
        team_id=team_id,
        mode=mode,
        now=now,
    )
    return _CALLBACK.of(row) if row else None


async def page(
    tx: Tx, team_id: str, mode: Mode, state: CallbackState | None, before: str | None, limit: int
) -> list[Callback]:
    """Returns callbacks, newest first."""
    rows = await tx.all(
        f"""SELECT {_COLUMNS} FROM callbacks
            WHERE team_id = :team_id AND mode = :mode
              AND (CAST(:state AS TEXT) IS NULL OR state = CAST(:state AS TEXT))
              AND (CAST(:before AS TEXT) IS NULL OR id < CAST(:before AS TEXT))
            ORDER BY id DESC LIMIT :limit""",
        team_id=team_id,
        mode=mode,
        state=state.value if state else None,
        before=before,
        limit=limit,
    )
    return [_CALLBACK.of(row) for row in rows]


async def sweep(tx: Tx, before: str, limit: int) -> int:
    """Deletes callbacks that are no longer waiting and whose ids precede this one."""
    return await tx.run(
        """DELETE FROM callbacks WHERE id IN (
             SELECT id FROM callbacks WHERE id < :before AND state <> 'waiting' ORDER BY id LIMIT :limit)""",
        before=before,
        limit=limit,
    )
