"""What becomes of callbacks that earlier versions tried again without end, as they could not be sent."""

from sqlalchemy import text
from sqlalchemy.engine import Connection

from refonte_studio.kit.clock import DAY_MS, system_clock

TRIES = 12  # after so many a callback is given up; one that was begun more often was never recorded as failed
KEPT_MS = 30 * DAY_MS
APART_MS = 200  # between the callbacks of one team that start over, so that its receivers are not flooded

_STUCK = f"(event = 'task.changed' OR tries > {TRIES})"
_OLD = """UPDATE callbacks SET state = 'failed', last_error = 'it could not be sent for 30 days'
    WHERE state = 'waiting' AND created_at < :oldest"""
_REPEATED = f"""UPDATE callbacks SET state = 'failed', last_error = 'a later callback tells of the same'
    WHERE state = 'waiting' AND {_STUCK} AND id < (
      SELECT MAX(c.id) FROM callbacks c WHERE c.team_id = callbacks.team_id AND c.subject_id = callbacks.subject_id
        AND c.event = callbacks.event AND c.url = callbacks.url AND c.state = 'waiting')"""
_START_OVER = f"""UPDATE callbacks SET tries = 0, next_try_at = :now + :apart * v.place FROM (
      SELECT id, ROW_NUMBER() OVER (PARTITION BY team_id ORDER BY id) AS place
      FROM callbacks WHERE state = 'waiting' AND {_STUCK}) AS v
    WHERE callbacks.id = v.id"""
_IN_LANES = "UPDATE callbacks SET lane = team_id || ' ' || event || ' 00 again' WHERE state = 'waiting'"


def settle_stuck(connection: Connection) -> None:
    """Those of the last 30 days start over, one for each task; the others are given up."""
    now = system_clock()
    connection.execute(text(_OLD), {"oldest": now - KEPT_MS})
    connection.execute(text("CREATE INDEX ix_callbacks_upgrade ON callbacks (subject_id)"))
    connection.execute(text(_REPEATED))
    connection.execute(text("DROP INDEX ix_callbacks_upgrade"))
    connection.execute(text(_START_OVER), {"now": now, "apart": APART_MS})
    connection.execute(text(_IN_LANES))
