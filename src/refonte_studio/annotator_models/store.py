"""The SQL of annotator models: the schedule of their fits, their input, and what a fit writes."""

from collections.abc import Sequence
from typing import Any

import msgspec

from refonte_studio.annotator_models.model import (
    ChangedTask,
    FitState,
    FittedLabeler,
    FittedQuestion,
    ProjectDue,
    StoredAttempt,
    StoredTask,
)
from refonte_studio.db import Tx
from refonte_studio.db.engine import Engine
from refonte_studio.db.records import Record

_PROJECT_DUE = Record(ProjectDue)
_STATE = Record(FitState)
_ATTEMPT = Record(StoredAttempt)
_TASK = Record(StoredTask)
_CHANGED = Record(ChangedTask)
_QUESTION = Record(FittedQuestion)
_PERSON = Record(FittedLabeler)

# The project whose models are to be fitted next: one whose fit somebody asked for (these come first), one that a
# process took on and lost, or one with attempts since its last fit. An attempt is as old as its claim, so those that
# are held now may yet come in before the newest.
DUE = f"""SELECT {_PROJECT_DUE.select("candidate")} FROM (
    SELECT p.id AS project_id, p.team_id, p.mode, p.quality, p.pipeline,
      e.seen, e.asked_at, e.taken_at, e.done_at, e.attempts,
      (SELECT h.id FROM attempts h WHERE h.project_id = p.id AND h.team_id = p.team_id ORDER BY h.id DESC LIMIT 1)
        AS newest
    FROM projects p LEFT JOIN estimates e ON e.project_id = p.id AND e.team_id = p.team_id
    WHERE e.taken_at IS NULL OR e.taken_at <= :lost_before) AS candidate
  WHERE candidate.newest IS NOT NULL
    AND (candidate.asked_at IS NOT NULL OR candidate.taken_at IS NOT NULL
      OR (candidate.newest > COALESCE(candidate.seen, '')
        AND COALESCE(candidate.done_at + :pause_ms + candidate.attempts, 0) <= :now))
  ORDER BY candidate.asked_at IS NULL, COALESCE(candidate.asked_at, candidate.done_at, 0), candidate.project_id
  LIMIT 1"""


async def due(tx: Tx, now: int, pause_ms: int, lost_ms: int) -> ProjectDue | None:
    """Returns the project whose models to fit next, or None.

    Between two fits a project waits `pause_ms`, and a millisecond more for each attempt of the last fit.
    """
    row = await tx.one(DUE, now=now, pause_ms=pause_ms, lost_before=now - lost_ms)
    return _PROJECT_DUE.of(row) if row else None


async def take(tx: Tx, team_id: str, project_id: str, now: int, lost_ms: int) -> bool:
    """Starts the fit of a project; returns False if another process runs it.

    It answers all requests so far; a later request leads to another fit.
    """
    row = await tx.one(
        """INSERT INTO estimates (project_id, team_id, seen, attempts, taken_at)
           VALUES (:project_id, :team_id, '', 0, :now)
           ON CONFLICT (project_id) DO UPDATE SET taken_at = :now, asked_at = NULL
             WHERE estimates.team_id = :team_id AND (estimates.taken_at IS NULL OR estimates.taken_at <= :lost_before)
           RETURNING project_id""",
        project_id=project_id,
        team_id=team_id,
        now=now,
        lost_before=now - lost_ms,
    )
    return row is not None


async def put_off(tx: Tx, team_id: str, project_id: str, began: int, taken_at: int) -> None:
    """Moves the start of a fit that failed to `taken_at`, so that it is retried when that start counts as lost."""
    await tx.run(
        """UPDATE estimates SET taken_at = :taken_at
           WHERE project_id = :project_id AND team_id = :team_id AND taken_at = :began_at""",
        project_id=project_id,
        team_id=team_id,
        began_at=began,
        taken_at=taken_at,
    )


async def done(tx: Tx, team_id: str, project_id: str, seen: str, attempts: int, began: int, now: int) -> None:
    """Records that a project's models are fitted from this many attempts, unless another process has taken over."""
    await tx.run(
        """UPDATE estimates SET seen = :seen, attempts = :attempts, done_at = :now, taken_at = NULL
           WHERE project_id = :project_id AND team_id = :team_id AND taken_at = :began_at""",
        project_id=project_id,
        team_id=team_id,
        seen=seen,
        attempts=attempts,
        began_at=began,
        now=now,
    )


async def state(tx: Tx, team_id: str, project_id: str) -> FitState | None:
    """Returns the state of the project's fit."""
    row = await tx.one(
        f"SELECT {_STATE.select()} FROM estimates WHERE project_id = :project_id AND team_id = :team_id",
        project_id=project_id,
        team_id=team_id,
    )
    return _STATE.of(row) if row else None


async def first_held(tx: Tx, team_id: str, project_id: str) -> str | None:
    """Returns the oldest claim of the project that is held."""
    row = await tx.one(
        """SELECT MIN(id) AS first FROM claims
           WHERE state = 'held' AND team_id = :team_id AND project_id = :project_id""",
        project_id=project_id,
        team_id=team_id,
    )
    return row["first"] if row else None


async def newest(tx: Tx, team_id: str, project_id: str) -> str:
    """Returns the newest attempt of the project, whether or not it counts."""
    row = await tx.one(
        """SELECT id FROM attempts WHERE project_id = :project_id AND team_id = :team_id ORDER BY id DESC LIMIT 1""",
        project_id=project_id,
        team_id=team_id,
    )
    return row["id"] if row else ""


async def attempts_before(tx: Tx, team_id: str, project_id: str, before: str | None, limit: int) -> list[StoredAttempt]:
    """Returns attempts of the project that count and are older than this id, newest first."""
    rows = await tx.all(
        f"""SELECT {_ATTEMPT.select()} FROM attempts
            WHERE project_id = :project_id AND team_id = :team_id AND rejected_at IS NULL
              AND (CAST(:before AS TEXT) IS NULL OR id < :before)
            ORDER BY id DESC LIMIT :limit""",
        project_id=project_id,
        team_id=team_id,
        before=before,
        limit=limit,
    )
    return [_ATTEMPT.of(row) for row in rows]


async def tasks(tx: Tx, team_id: str, task_ids: Sequence[str]) -> list[StoredTask]:
    """Returns these tasks, with the expected response of quality tasks."""
    rows = await tx.all(
        """SELECT t.id, t.type, t.status, t.params, t.response, t.confidence, t.agreement,
             t.reviewed OR COALESCE(t.review_status, '') IN ('accepted', 'fixed') AS decided,
             t.reviewed OR t.review_status IS NOT NULL AS settled, y.expected_response AS expected
           FROM tasks t LEFT JOIN quality_tasks y ON y.task_id = t.id AND y.team_id = t.team_id
           WHERE t.id IN :task_ids[] AND CAST(t.team_id AS TEXT) = :team_id""",
        task_ids=list(task_ids),
        team_id=team_id,
    )
    return [_TASK.of(row) for row in rows]


_ROWS: dict[Engine, str] = {
    "sqlite": """(SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS response,
          json_extract(value, '$[2]') AS confidence, json_extract(value, '$[3]') AS agreement,
          json_extract(value, '$[4]') AS attempts
        FROM json_each(:rows))""",
    "postgresql": """(SELECT value->>0 AS id, value->>1 AS response, CAST(value->>2 AS FLOAT) AS confidence,
          CAST(value->>3 AS FLOAT) AS agreement, CAST(value->>4 AS BIGINT) AS attempts
        FROM json_array_elements(CAST(:rows AS JSON)))""",
}


# A result is written only while the task still has the same number of attempts; otherwise the next fit writes it.
_MAY_CHANGE = """tasks.id = fresh.id AND CAST(tasks.team_id AS TEXT) = :team_id AND tasks.status = 'completed'
              AND NOT tasks.reviewed AND tasks.review_status IS NULL
              AND fresh.attempts = (SELECT COUNT(*) FROM attempts h
                WHERE h.task_id = fresh.id AND h.team_id = :team_id AND h.rejected_at IS NULL)"""


async def set_results(tx: Tx, team_id: str, rows: Sequence[Sequence[Any]], now: int) -> list[ChangedTask]:
    """Writes new results of completed tasks, except those that a person has decided about.

    `rows` are (task id, response or None if unchanged, confidence, agreement, number of attempts). Returns the tasks
    whose response has changed.
    """
    await tx.run(
        f"""UPDATE tasks SET confidence = fresh.confidence, agreement = fresh.agreement FROM {_ROWS[tx.engine]} AS fresh
            WHERE {_MAY_CHANGE}""",
        team_id=team_id,
        rows=msgspec.json.encode(rows).decode(),
    )
    changed = [row for row in rows if row[1] is not None]
    if not changed:
        return []
    found = await tx.all(
        f"""UPDATE tasks SET response = fresh.response, updated_at = :now FROM {_ROWS[tx.engine]} AS fresh
            WHERE {_MAY_CHANGE} AND tasks.response <> fresh.response
            RETURNING {_CHANGED.select("tasks")}""",
        team_id=team_id,
        rows=msgspec.json.encode(changed).decode(),
        now=now,
    )
    return [_CHANGED.of(row) for row in found]


async def clear_models(tx: Tx, team_id: str, project_id: str, questions: Sequence[str]) -> None:
    """Deletes the project's models of questions, and its models of people for any other question than these."""
    await tx.run(
        "DELETE FROM project_models WHERE project_id = :project_id AND team_id = :team_id",
        project_id=project_id,
        team_id=team_id,
    )
    await tx.run(
        """DELETE FROM labeler_models
           WHERE project_id = :project_id AND team_id = :team_id AND NOT (question IN :questions[])""",
        project_id=project_id,
        team_id=team_id,
        questions=list(questions),
    )


PROJECT_COLUMNS = ("team_id", "project_id", *_QUESTION.columns)
PEOPLE_COLUMNS = ("team_id", "project_id", *_PERSON.columns)


async def insert_project_models(tx: Tx, rows: Sequence[Sequence[Any]]) -> None:
    await tx.insert("project_models", PROJECT_COLUMNS, rows)


async def replace_people(tx: Tx, team_id: str, project_id: str, rows: Sequence[Sequence[Any]]) -> None:
    """Replaces the models of these people for these questions."""
    for question in sorted({row[2] for row in rows}):
        await tx.run(
            """DELETE FROM labeler_models
               WHERE project_id = :project_id AND team_id = :team_id AND question = :question
                 AND teammate_id IN :teammate_ids[]""",
            project_id=project_id,
            team_id=team_id,
            question=question,
            teammate_ids=[row[3] for row in rows if row[2] == question],
        )
    await tx.insert("labeler_models", PEOPLE_COLUMNS, rows)


async def project_models(tx: Tx, team_id: str, project_id: str) -> list[FittedQuestion]:
    """Returns the models of the project's questions, in the order of the questions."""
    rows = await tx.all(
        f"""SELECT {_QUESTION.select()} FROM project_models
            WHERE project_id = :project_id AND team_id = :team_id ORDER BY question, type""",
        project_id=project_id,
        team_id=team_id,
    )
    return [_QUESTION.of(row) for row in rows]


async def people_models(tx: Tx, team_id: str, project_id: str, people: Sequence[str]) -> list[FittedLabeler]:
    """Returns the models of these people in the project."""
    rows = await tx.all(
        f"""SELECT {_PERSON.select()} FROM labeler_models
            WHERE project_id = :project_id AND team_id = :team_id AND teammate_id IN :teammate_ids[]
            ORDER BY teammate_id, question""",
        project_id=project_id,
        team_id=team_id,
        teammate_ids=list(people),
    )
    return [_PERSON.of(row) for row in rows]


async def people_known(tx: Tx, team_id: str, project_id: str, after: str | None, limit: int) -> list[str]:
    """Returns the people who have a model in the project, in the order of their ids."""
    rows = await tx.all(
        """SELECT DISTINCT teammate_id FROM labeler_models
           WHERE project_id = :project_id AND team_id = :team_id
             AND (CAST(:after AS TEXT) IS NULL OR teammate_id > :after)
           ORDER BY teammate_id LIMIT :limit""",
        project_id=project_id,
        team_id=team_id,
        after=after,
        limit=limit,
    )
    return [row["teammate_id"] for row in rows]
