"""The SQL of dispatch: which task comes next for a person.

Batches are tried one after another, in the order of the queue, until one has a task for the person. In a batch the
look begins at the person's cursor (`dispatch_cursors`, see `cursors`), so that it never walks over what they have
had; of what lies before, it sees only what has opened since.
"""

from refonte_studio.db import Row, Tx
from refonte_studio.db.engine import Engine
from refonte_studio.dispatch.model import Candidate
from refonte_studio.kit.caller import Caller
from refonte_studio.quality import service as quality


def taken(task: str) -> str:
    """A subquery for the claim that keeps the person `:me` from a task, given by an SQL expression for its id."""
    return f"""SELECT 1 FROM claims c WHERE c.task_id = {task} AND c.teammate_id = :me AND c.team_id = :team
        AND c.state IN ('held', 'submitted', 'skipped')"""


# Whether a quality task (t) was not made of one that the person had a part in: they know what is expected.
NOT_THEIR_OWN = quality.not_their_own(":me", ":team")

# Whether a batch (b) is open to a person: they are assigned to its project and not paused in it, it is not archived,
# and the batch has no groups or one of theirs.
# Selects of one value, and not EXISTS, which PostgreSQL may turn into a look at every group of every batch.
OPEN_TO_ME = """(SELECT 1 FROM assignments a
        WHERE a.teammate_id = :me AND a.project_id = b.project_id AND a.team_id = :team
          AND a.paused_at IS NULL AND NOT a.archived) IS NOT NULL
    AND ((SELECT 1 FROM batch_groups g WHERE g.batch_id = b.id AND g.team_id = :team LIMIT 1) IS NULL
      OR (SELECT 1 FROM batch_groups g JOIN group_members m ON m.group_id = g.group_id AND m.team_id = g.team_id
          WHERE g.batch_id = b.id AND g.team_id = :team AND m.teammate_id = :me LIMIT 1) IS NOT NULL)"""
OPEN_BATCH = f"""b.team_id = :team AND b.mode = :mode AND b.state = 'in_progress'
    AND (CAST(:project AS TEXT) IS NULL OR b.project_id = :project)
    AND (CAST(:batch AS TEXT) IS NULL OR b.id = :batch)
    AND {OPEN_TO_ME}"""
# Batches outside of Studio have no place in the queue and come after, oldest first.
BY_QUEUE = "ORDER BY b.position NULLS LAST, b.id"

# Tasks with an open slot in a batch (b), from where the person has come to (r): those that opened behind their back,
# and those ahead. SQLite would take the key of the table for both, and go over all that is before, or held. The plus
# keeps it from reading all that is open, for the sake of the order.
_INDEXES: tuple[tuple[Engine, str, str], ...] = (
    ("sqlite", "INDEXED BY ix_task_slots_opened", "INDEXED BY ix_task_slots_open"),
    ("postgresql", "", ""),
)
BEHIND = {
    engine: f"""SELECT w.task_id FROM task_slots w {by_opened}
    WHERE w.batch_id = b.id AND w.open > 0 AND w.opened IS NOT NULL AND w.opened > r.seen
      AND w.task_id < r.reached AND w.team_id = :team AND NOT EXISTS ({taken("w.task_id")})"""
    for engine, by_opened, _ in _INDEXES
}
AHEAD = {
    engine: f"""SELECT w.task_id FROM task_slots w {by_open}
    WHERE w.batch_id = b.id AND w.open > 0 AND w.task_id >= COALESCE(r.reached, '') AND w.team_id = :team
      AND NOT EXISTS ({taken("w.task_id")})"""
    for engine, _, by_open in _INDEXES
}
CURSOR = "LEFT JOIN dispatch_cursors r ON r.teammate_id = :me AND r.batch_id = b.id AND r.team_id = :team"

# The engines differ in how a row of the outer query reaches the inner one, and in that PostgreSQL must lock what it
# picks. There, `MATERIALIZED` and the inner select keep the planner from turning the walk into a join of everything.
# It passes what others have just locked; but before it leaves a batch, it waits to see what is left of that.
_LOCK_ONE = f"""SELECT x.task_id FROM (
            (WITH y AS MATERIALIZED ({BEHIND["postgresql"]}) SELECT y.task_id FROM y ORDER BY y.task_id)
            UNION ALL ({AHEAD["postgresql"]} ORDER BY w.task_id)) AS one
          CROSS JOIN LATERAL (
            SELECT p.task_id FROM task_slots p
            WHERE p.batch_id = b.id AND p.task_id = one.task_id AND p.team_id = :team AND p.open > 0
            FOR UPDATE {{wait}}) AS x
          LIMIT 1"""
_PICK: dict[Engine, str] = {
    "sqlite": f"""JOIN task_slots n ON n.team_id = :team AND n.batch_id = b.id AND n.task_id = COALESCE(
            ({BEHIND["sqlite"]} ORDER BY +w.task_id LIMIT 1), ({AHEAD["sqlite"]} ORDER BY w.task_id LIMIT 1))""",
    "postgresql": f"""CROSS JOIN LATERAL (
          SELECT one_of.task_id FROM (
            ({_LOCK_ONE.format(wait="SKIP LOCKED")}) UNION ALL ({_LOCK_ONE.format(wait="")})) AS one_of
          LIMIT 1) AS n""",
}
# Whether there can be anything in a batch. PostgreSQL passes most batches a person is through with by these two looks
# into an index; its look for the task itself costs it ten times as much, even where there is none.
_PASS: dict[Engine, str] = {
    "sqlite": "",
    "postgresql": """AND ((SELECT 1 FROM task_slots w
          WHERE w.batch_id = b.id AND w.open > 0 AND w.task_id >= COALESCE(r.reached, '') AND w.team_id = :team
          LIMIT 1) IS NOT NULL
      OR (SELECT 1 FROM task_slots w
          WHERE w.batch_id = b.id AND w.open > 0 AND w.opened IS NOT NULL AND w.opened > r.seen AND w.team_id = :team
          LIMIT 1) IS NOT NULL)""",
}


def next_open_sql(engine: Engine) -> str:
    """The next task for work."""
    return f"""SELECT n.task_id, b.project_id, b.id AS batch_id, b.name AS batch, r.reached IS NOT NULL AS has_cursor
        FROM batches b {CURSOR} {_PICK[engine]}
        WHERE {OPEN_BATCH} {_PASS[engine]} {BY_QUEUE} LIMIT 1"""


_NEXT = {
    engine: f"""SELECT o.*, t.type, t.params, p.name AS project, p.evaluates, p.evaluation_mix AS mix
        FROM ({next_open_sql(engine)}) AS o
        JOIN tasks t ON t.id = o.task_id AND t.team_id = :team
        JOIN projects p ON p.id = o.project_id AND p.team_id = :team"""
    for engine in _PICK
}


async def next_open(tx: Tx, caller: Caller, project_id: str | None, batch_id: str | None) -> Candidate | None:
    """The next task in the order of dispatch, locked. Of a batch, tasks that others have just locked come last."""
    row = await tx.one(
        _NEXT[tx.engine],
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        project=project_id,
        batch=batch_id,
    )
    return candidate_of(row) if row else None


def candidate_of(row: Row) -> Candidate:
    return Candidate(
        task_id=row["task_id"],
        project_id=row["project_id"],
        batch_id=row["batch_id"],
        kind="work",
        type=row["type"],
        params=row["params"],
        project=row["project"],
        batch=row["batch"],
        has_cursor=bool(row["has_cursor"]),
        mix=row["mix"],
        evaluates=bool(row["evaluates"]),
    )


# When the first lease of the team runs out; by the order of the index, not through everything that is held.
FIRST_LEASE = """(SELECT d.lease_expires_at FROM claims d WHERE d.state = 'held' AND d.team_id = :team
      ORDER BY d.lease_expires_at LIMIT 1)"""

# Training tasks that the person still owes. SQLite uses a partial index only if the statement repeats the condition of
# the index, so "<> 'work'" stands beside "= 'training'". The cast keeps SQLite from reading the index of all tasks of
# the team. Statements that want the first of these tasks make them MATERIALIZED: otherwise PostgreSQL looks for the
# first of a few training tasks by reading all tasks in their order.
TRAINING_DUE = f"""SELECT t.id, t.project_id FROM assignments a CROSS JOIN tasks t
    WHERE a.teammate_id = :me AND a.team_id = :team AND a.paused_at IS NULL AND NOT a.archived
      AND t.project_id = a.project_id AND t.kind = 'training' AND t.kind <> 'work'
      AND t.team_id = :team AND CAST(t.mode AS TEXT) = :mode AND t.status = 'pending' AND NOT EXISTS ({taken("t.id")})
      AND {NOT_THEIR_OWN}"""


# Whether the person has tasks to do again, in a project that is not archived.
REWORK_DUE = """SELECT 1 FROM rework_items d WHERE d.teammate_id = :me AND d.team_id = :team AND d.mode = :mode
    AND (SELECT a.archived FROM assignments a
      WHERE a.teammate_id = :me AND a.project_id = d.project_id AND a.team_id = :team) IS NOT TRUE"""


async def next_training(tx: Tx, caller: Caller, project_id: str | None) -> Candidate | None:
    """The oldest training task that the person still owes one of their projects."""
    row = await tx.one(
        f"""WITH training AS MATERIALIZED ({TRAINING_DUE} AND (CAST(:project AS TEXT) IS NULL
              OR t.project_id = :project))
            SELECT d.id, d.project_id, p.evaluates
            FROM training d JOIN projects p ON p.id = d.project_id AND p.team_id = :team ORDER BY d.id LIMIT 1""",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        project=project_id,
    )
    if row is None:
        return None
    return Candidate(row["id"], row["project_id"], None, "training", evaluates=bool(row["evaluates"]))


# Evaluation tasks that the person is due: of a project they are assigned to and not paused in, and of no batch, or of
# one that is finalized and open to them.
EVALUATION_DUE = f"""t.kind = 'evaluation' AND t.kind <> 'work' AND t.status = 'pending'
    AND t.team_id = :team AND CAST(t.mode AS TEXT) = :mode AND NOT EXISTS ({taken("t.id")}) AND {NOT_THEIR_OWN}
    AND (t.batch_id IS NULL OR EXISTS (
      SELECT 1 FROM batches b
      WHERE b.id = t.batch_id AND b.team_id = :team AND b.state <> 'staging' AND {OPEN_TO_ME}))"""


# Whether the person's last attempt was of an evaluation task. If so, none is mixed in: otherwise all that are due would
# come in a row, before the same task for work.
JUST_EVALUATED = """(SELECT t.kind FROM attempts h JOIN tasks t ON t.id = h.task_id AND t.team_id = h.team_id
        WHERE h.teammate_id = :me AND h.team_id = :team ORDER BY h.id DESC LIMIT 1) = 'evaluation'"""


async def just_evaluated(tx: Tx, caller: Caller) -> bool:
    """Whether the person's last attempt was of an evaluation task."""
    row = await tx.one(f"SELECT COALESCE({JUST_EVALUATED}, FALSE) AS so", me=caller.teammate_id, team=caller.team_id)
    return bool(row is not None and row["so"])


async def next_evaluation(tx: Tx, caller: Caller, project_id: str | None, batch_id: str | None) -> Candidate | None:
    """The oldest evaluation task that the person is due: of these, or of any project and batch."""
    row = await tx.one(
        f"""WITH evaluation AS MATERIALIZED (
              SELECT t.id, t.project_id, t.batch_id FROM assignments a CROSS JOIN tasks t
              WHERE a.teammate_id = :me AND a.team_id = :team AND a.paused_at IS NULL AND NOT a.archived
                AND t.project_id = a.project_id AND {EVALUATION_DUE}
                AND (CAST(:project AS TEXT) IS NULL OR t.project_id = :project)
                AND (CAST(:batch AS TEXT) IS NULL OR t.batch_id IS NULL OR t.batch_id = :batch))
            SELECT d.id, d.project_id, d.batch_id, p.evaluates
            FROM evaluation d JOIN projects p ON p.id = d.project_id AND p.team_id = :team ORDER BY d.id LIMIT 1""",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        project=project_id,
        batch=batch_id,
    )
    if row is None:
        return None
    return Candidate(row["id"], row["project_id"], row["batch_id"], "evaluation", evaluates=bool(row["evaluates"]))


async def last_batch(tx: Tx, caller: Caller, project_id: str) -> str | None:
    """The batch of this project that the person worked last."""
    row = await tx.one(
        """SELECT batch_id FROM attempts WHERE teammate_id = :me AND team_id = :team AND project_id = :project
             AND batch_id IS NOT NULL ORDER BY id DESC LIMIT 1""",
        me=caller.teammate_id,
        team=caller.team_id,
        project=project_id,
    )
    return row["batch_id"] if row else None


async def first_open_batch(tx: Tx, caller: Caller, project_id: str) -> str | None:
    """The batch of this project whose turn is next for this person."""
    row = await tx.one(
        f"SELECT b.id FROM batches b WHERE {OPEN_BATCH} {BY_QUEUE} LIMIT 1",
        me=caller.teammate_id,
        team=caller.team_id,
        mode=caller.mode,
        project=project_id,
        batch=None,
    )
    return row["id"] if row else None
