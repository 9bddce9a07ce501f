"""Numbers that follow the order of commits, as SQL expressions for each engine.

A row marked with `COMMIT_NUMBER` has a larger number than any `COMMITTED_UP_TO` read by a statement that did not see
the row. Selecting the rows with a number above `seen` therefore misses none, even if transactions were in progress when
`seen` was read. Neither expression reads a clock.

PostgreSQL numbers its transactions, and each snapshot holds the number below which all of them have ended. SQLite runs
one writing transaction at a time, so the number of claims serves instead: claims are never deleted, and a commit number
is always one above the largest number that could have been read before.

A dump restored into another PostgreSQL server starts with small numbers again. A `seen` from the old server would then
be larger than every new commit number, so each start deletes such cursors
(`dispatch.service.cursors.forget_cursors_ahead`).
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
