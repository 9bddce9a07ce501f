"""The SQL of claim and submit on PostgreSQL: each one statement, which is a transaction by itself.

They do the common case of what `service` does in several statements, and nothing else. Whatever is not plain (a task
held already, a lease that ran out, training or evaluation due, a task to do again, a last attempt while others hold the
task, the last tasks of a batch) changes nothing and answers nothing, and the general way is taken. What they may not do
is decided by the same conditions, in the same words. Locks are taken in the same order, slots first; each step reads
what the step before it wrote, so that it cannot run before it.
"""

from dataclasses import dataclass

from refonte_studio.aggregation.model import Result
from refonte_studio.aggregation.service import INLINE_CHARACTERS
from refonte_studio.callbacks.model import CallbackEvent, CallbackState, lane
from refonte_studio.db import Row, Tx
from refonte_studio.dispatch.store.candidates import (
    EVALUATION_DUE,
    FIRST_LEASE,
    JUST_EVALUATED,
    REWORK_DUE,
    TRAINING_DUE,
    next_open_sql,
)
from refonte_studio.kit.caller import ALLOWED, HashedCredential, Permission
from refonte_studio.kit.ids import new_id

_ROLES = ", ".join(f"'{role}'" for role, allowed in ALLOWED.items() if Permission.WORK in allowed)
_ALIAS = "(SELECT g.alias_key FROM teams g WHERE g.id = t.team_id) AS alias_key"
_HOLDER = {
    "key": f"""SELECT t.id, t.team_id, k.mode, t.email, t.role, k.id AS key_id, {_ALIAS},
          (k.last_used_at IS NULL OR k.last_used_at <= :stale) AS stale
        FROM keys k JOIN teammates t ON t.id = k.teammate_id AND t.team_id = k.team_id
        WHERE k.key_hash = :secret_hash AND k.revoked_at IS NULL""",
    "session": f"""SELECT t.id, t.team_id, 'live' AS mode, t.email, t.role, NULL AS key_id, {_ALIAS},
          CAST(:stale AS BIGINT) IS NULL AS stale  -- never, as a session's use is not noted
        FROM sessions s JOIN teammates t ON t.id = s.teammate_id AND t.team_id = s.team_id
        WHERE s.token_hash = :secret_hash AND s.expires_at > :now""",
}

_CALLER = "me.id AS me, me.team_id, me.mode, me.email, me.role, me.key_id, me.alias_key, me.stale"


def _me(kind: str) -> str:
    return f"me AS MATERIALIZED ({_HOLDER[kind]} AND t.state = 'active' AND t.role IN ({_ROLES}))"


_PROJECT = """b.project_id = (
      SELECT p.id FROM projects p WHERE p.team_id = :team AND p.mode = :mode AND p.name = :project)"""


def _as_me(sql: str) -> str:
    """SQL that says `:me`, `:team` and `:mode`, of the person of `me`; a project and a batch go by their names."""
    for name, value in (
        ("b.project_id = :project", _PROJECT),
        ("b.id = :batch", "b.name = :batch"),
        (":mode", "(SELECT mode FROM me)"),
        (":me", "(SELECT id FROM me)"),
        (":team", "(SELECT team_id FROM me)"),
    ):
        sql = sql.replace(name, value)
    return sql


# Of the first four hex digits of an MD5, which is what decides about evaluation tasks (`policy.mixes_in`).
_MIXES_IN = """('x' || left(md5((SELECT id FROM me) || f.task_id), 4))::bit(16)::int < (
          SELECT j.evaluation_mix FROM projects j
          WHERE j.id = f.project_id AND j.team_id = (SELECT team_id FROM me))"""

_CLAIM = {
    kind: f"""WITH {_me(kind)},
      plain AS MATERIALIZED (
        SELECT 1 FROM me WHERE NOT EXISTS (
            SELECT 1 FROM claims h
            WHERE h.teammate_id = me.id AND h.mode = me.mode AND h.team_id = me.team_id AND h.state = 'held')
          AND COALESCE({_as_me(FIRST_LEASE)} > :now, TRUE)
          AND NOT EXISTS ({_as_me(REWORK_DUE)})
          AND NOT EXISTS ({_as_me(TRAINING_DUE)})),
      found AS MATERIALIZED (
        SELECT f.* FROM plain CROSS JOIN LATERAL ({_as_me(next_open_sql("postgresql"))}) AS f),
      chosen AS MATERIALIZED (
        SELECT f.* FROM found f WHERE NOT ({_MIXES_IN} AND NOT COALESCE({_as_me(JUST_EVALUATED)}, FALSE) AND EXISTS (
          SELECT 1 FROM tasks t
          WHERE t.project_id = f.project_id AND {_as_me(EVALUATION_DUE)}
            AND (t.batch_id IS NULL OR t.batch_id = f.batch_id)))),
      assigned AS MATERIALIZED (
        SELECT a.team_id FROM assignments a
        WHERE a.teammate_id = (SELECT id FROM me) AND a.project_id = (SELECT project_id FROM chosen)
          AND a.team_id = (SELECT team_id FROM me) AND a.paused_at IS NULL AND NOT a.archived
        FOR SHARE),
      claimed AS (
        INSERT INTO claims (id, team_id, mode, task_id, project_id, batch_id, teammate_id, state, claimed_at,
          lease_expires_at)
        SELECT :id, a.team_id, me.mode, c.task_id, c.project_id, c.batch_id, me.id, 'held', :now, :expires
        FROM me CROSS JOIN chosen c CROSS JOIN assigned a
        RETURNING team_id, batch_id, task_id),
      taken AS (
        UPDATE task_slots p SET open = p.open - 1 FROM claimed c
        WHERE p.batch_id = c.batch_id AND p.task_id = c.task_id AND p.team_id = c.team_id)
    SELECT {_CALLER}, c.task_id, o.project_id, o.batch_id, o.batch,
      o.noted, t.type, t.params, p.name AS project, p.evaluates, p.evaluation_mix AS mix
    FROM claimed c CROSS JOIN me CROSS JOIN chosen o
    JOIN tasks t ON t.id = c.task_id AND t.team_id = c.team_id
    JOIN projects p ON p.id = o.project_id AND p.team_id = c.team_id"""
    for kind in _HOLDER
}

_LAST = "p.attempts > 0 AND p.attempts + 1 >= p.wanted"  # of several that are wanted

_LOOK = {
    kind: f"""WITH {_me(kind)}
    SELECT {_CALLER}, c.task_id, c.project_id, c.claimed_at,
      p.batch_id, t.type, t.params, t.callback_url, p.wanted, p.attempts, p.open,
      j.pipeline, j.consensus_attempts, j.quality, j.evaluates,
      CASE WHEN {_LAST} THEN
        (SELECT json_agg(json_build_array(m.question, m.model)) FROM project_models m
         WHERE m.project_id = t.project_id AND m.team_id = t.team_id) END AS questions,
      CASE WHEN {_LAST} THEN
        (SELECT json_agg(json_build_array(l.question, l.teammate_id, l.model)) FROM labeler_models l
         WHERE l.project_id = t.project_id AND l.team_id = t.team_id AND l.teammate_id IN (
           SELECT me.id UNION ALL
           SELECT a.teammate_id FROM attempts a WHERE a.task_id = t.id AND a.team_id = t.team_id)) END AS people,
      CASE WHEN {_LAST} THEN
        (SELECT CASE WHEN SUM(OCTET_LENGTH(a.response)) <= {INLINE_CHARACTERS} THEN
           json_agg(json_build_object('by', a.teammate_id, 'response', CAST(a.response AS JSON)) ORDER BY a.number) END
         FROM attempts a WHERE a.task_id = t.id AND a.team_id = t.team_id AND a.rejected_at IS NULL) END AS others
    FROM me
    JOIN claims c ON c.id = :claim AND c.team_id = me.team_id AND c.teammate_id = me.id AND c.mode = me.mode
    JOIN tasks t ON t.id = c.task_id AND t.team_id = c.team_id AND t.kind = 'work'
    JOIN task_slots p ON p.batch_id = t.batch_id AND p.task_id = t.id AND p.team_id = c.team_id
    JOIN projects j ON j.id = t.project_id AND j.team_id = t.team_id
    WHERE c.state = 'held' AND c.lease_expires_at > :now"""
    for kind in _HOLDER
}

_MOVED = """moved AS (
        UPDATE claims c SET state = 'submitted', ended_at = :now FROM slot
        WHERE c.id = :claim AND c.team_id = :team AND c.state = 'held' AND c.lease_expires_at > :now
        RETURNING c.id, c.team_id, c.mode, c.task_id, c.project_id, c.teammate_id, c.claimed_at)"""
_ATTEMPT = """INSERT INTO attempts (id, team_id, mode, task_id, project_id, batch_id, teammate_id, number, wanted,
          response, started_at, submitted_at)"""

# An attempt that does not complete its task.
_ATTEMPTED = f"""WITH slot AS MATERIALIZED (
        SELECT 1 FROM task_slots
        WHERE batch_id = :batch AND task_id = :task AND team_id = :team AND attempts + 1 < wanted FOR UPDATE),
      {_MOVED},
      counted AS (
        UPDATE task_slots p SET attempts = p.attempts + 1 FROM moved m
        WHERE p.batch_id = :batch AND p.task_id = m.task_id AND p.team_id = m.team_id
        RETURNING p.attempts, p.wanted),
      recorded AS (
        {_ATTEMPT}
        SELECT m.id, m.team_id, m.mode, m.task_id, m.project_id, :batch, m.teammate_id, n.attempts, n.wanted,
          :response, m.claimed_at, :now
        FROM moved m CROSS JOIN counted n)
    SELECT attempts AS number, wanted FROM counted"""

# The last attempt of a task that nobody else holds, of a batch that has many more: it completes the task.
_COMPLETED = f"""WITH slot AS MATERIALIZED (
        SELECT attempts + 1 AS number, wanted FROM task_slots
        WHERE batch_id = :batch AND task_id = :task AND team_id = :team AND wanted = :wanted
          AND attempts + 1 = wanted AND open = 0
          AND (SELECT COUNT(*) FROM (SELECT 1 FROM task_slots f WHERE f.batch_id = :batch AND f.team_id = :team
               ORDER BY f.task_id DESC LIMIT :far) AS few) >= :far
        FOR UPDATE),
      {_MOVED},
      gone AS (
        DELETE FROM task_slots p USING moved m
        WHERE p.batch_id = :batch AND p.task_id = m.task_id AND p.team_id = m.team_id),
      recorded AS (
        {_ATTEMPT}
        SELECT m.id, m.team_id, m.mode, m.task_id, m.project_id, :batch, m.teammate_id, p.number, p.wanted, :response,
          m.claimed_at, :now
        FROM moved m CROSS JOIN slot p),
      ended AS (
        UPDATE tasks t SET status = 'completed', response = :result, confidence = CAST(:confidence AS FLOAT),
          agreement = CAST(:agreement AS FLOAT),
          completed_at = :now, updated_at = :now
        FROM moved m WHERE t.id = m.task_id AND t.team_id = m.team_id),
      counted AS (
        INSERT INTO batch_deltas (team_id, batch_id, pending, completed, canceled)
        SELECT team_id, :batch, -1, 1, 0 FROM moved),
      told AS (
        INSERT INTO callbacks (id, team_id, mode, url, event, subject_id, state, tries, next_try_at, created_at, lane)
        SELECT :callback, m.team_id, m.mode, :url, '{CallbackEvent.TASK_COMPLETED}', m.task_id,
          '{CallbackState.WAITING}', 0, :now, :now, :lane
        FROM moved m WHERE CAST(:url AS TEXT) IS NOT NULL)
    SELECT p.number, p.wanted FROM moved CROSS JOIN slot p"""

ALL = (*_CLAIM.values(), *_LOOK.values(), _ATTEMPTED, _COMPLETED)
STATEMENTS = {"claim": _CLAIM["key"], "look": _LOOK["key"], "attempted": _ATTEMPTED, "completed": _COMPLETED}


@dataclass(frozen=True, slots=True)
class Answered:
    """A checked response (JSON) to a task for work."""

    team_id: str
    claim_id: str
    batch_id: str
    task_id: str
    response: str


@dataclass(frozen=True, slots=True)
class Completed:
    """What else there is to record of an attempt that completes its task."""

    wanted: int  # it is the last of so many
    result: Result  # what all attempts give
    callback_url: str | None
    far: int  # so many tasks of the batch must be pending


async def claim(
    tx: Tx,
    credential: HashedCredential,
    claim_id: str,
    *,
    project: str | None,
    batch: str | None,
    now: int,
    expires: int,
    stale: int,
) -> Row | None:
    """Claims the next task for the holder of a credential; None, with nothing done, if the case is not plain.

    A key that was last used before `stale` is marked so. Raises Duplicate, with nothing done, if the person claims
    twice at the same moment.
    """
    return await tx.one(
        _CLAIM[credential.kind],
        secret_hash=credential.secret_hash,
        id=claim_id,
        project=project,
        batch=batch,
        now=now,
        expires=expires,
        stale=stale,
    )


async def look(tx: Tx, credential: HashedCredential, claim_id: str, now: int, stale: int) -> Row | None:
    """The live claim of a credential's holder on a task for work, with the task; None if there is no such."""
    return await tx.one(
        _LOOK[credential.kind], secret_hash=credential.secret_hash, claim=claim_id, now=now, stale=stale
    )


async def record(tx: Tx, answered: Answered, completed: Completed | None, now: int) -> Row | None:
    """Records an attempt: its number and how many are wanted. None, with nothing done, if that is not plain.

    Raises Duplicate, with nothing done, if the person has attempted the task before.
    """
    values = {
        "team": answered.team_id,
        "claim": answered.claim_id,
        "batch": answered.batch_id,
        "task": answered.task_id,
        "response": answered.response,
        "now": now,
    }
    if completed is None:
        return await tx.one(_ATTEMPTED, **values)
    return await tx.one(
        _COMPLETED,
        **values,
        wanted=completed.wanted,
        result=completed.result.response,
        confidence=completed.result.confidence,
        agreement=completed.result.agreement,
        callback=new_id(now),
        url=completed.callback_url,
        lane=lane(answered.team_id, CallbackEvent.TASK_COMPLETED, completed.callback_url or ""),
        far=completed.far,
    )
