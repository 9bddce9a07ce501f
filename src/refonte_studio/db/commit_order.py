"""Numbers that follow the order of commits, as SQL expressions for each engine.

A row marked with `COMMIT_NUMBER` has a larger number than any `COMMITTED_UP_TO` read by a statement that did not see
the row. So "marked after `seen`" misses nothing, whatever was in flight. Neither expression reads a clock.

PostgreSQL numbers its transactions, and each snapshot knows below which number all have ended. In SQLite, where
transactions come one after another, the number of claims made so far does as well: claims are never deleted there, and
whoever notes what they have seen has just made one, or stamps are one ahead.

A database that is taken to another PostgreSQL by a dump begins with small numbers again. What was seen before is then
larger than any stamp to come, and must be forgotten (`work.service.forget_cursors_ahead`, at every start).
"""

from refonte_studio.db.engine import Engine

COMMIT_NUMBER: dict[Engine, str] = {
    "sqlite": "(SELECT COALESCE(MAX(rowid), 0) + 1 FROM claims)",
    "postgresql": "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)",
}
COMMITTED_UP_TO: dict[Engine, str] = {
    "sqlite": "(SELECT COALESCE(MAX(rowid), 0) FROM claims)",
    "postgresql": "(CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) - 1)",
}
