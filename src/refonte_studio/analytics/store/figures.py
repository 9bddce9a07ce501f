"""The SQL of figures: counts and times of attempts, by project, batch, group or labeler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refonte_studio.analytics.model import AttemptFigures, FigureSubject, Scope, Subject
from refonte_studio.db import Row, Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.clock import DAY_MS

# A claim can be held for as long as it is extended. Attempts that were claimed earlier than this before a period are
# not found in it.
LONGEST_CLAIM_MS = 7 * DAY_MS
FIRST_OF_ALL = ""


def earliest_id(start: int | None) -> str:
    """A lower bound on the ids of attempts submitted since then: ids begin with the time of the claim."""
    return FIRST_OF_ALL if start is None else f"{max(0, start - LONGEST_CLAIM_MS):012x}"


# CROSS JOIN fixes the join order on SQLite, which does not know the sizes of tables and would otherwise begin with all
# tasks of a team.
@dataclass(frozen=True, slots=True)
class _By:
    """How rows are grouped: by which key, and how they are found."""

    key: str
    join: str
    where: str


_PROJECTS_OF_MODE = "(SELECT p.id FROM projects p WHERE p.team_id = :team_id AND p.mode = :mode)"
_BATCHES_PROJECTS = "(SELECT b.project_id FROM batches b WHERE b.team_id = :team_id AND b.id IN :keys[])"
_MEMBER = "m.teammate_id = {row}.teammate_id AND m.team_id = {row}.team_id"
_GROUPS_PROJECTS = "(SELECT gr.project_id FROM groups gr WHERE gr.team_id = :team_id AND gr.id IN :keys[])"


def _by(subject: Subject, row: str) -> _By:
    """The grouping of attempts or claims, whose alias is `row`."""
    by: Mapping[Subject, _By] = {
        "project": _By(f"{row}.project_id", "", f"{row}.project_id IN :keys[]"),
        "batch": _By(f"{row}.batch_id", "", f"{row}.project_id IN {_BATCHES_PROJECTS} AND {row}.batch_id IN :keys[]"),
        "group": _By(
            "m.group_id",
            "CROSS JOIN group_members m",
            f"{row}.project_id IN {_GROUPS_PROJECTS} AND m.group_id IN :keys[] AND {_MEMBER.format(row=row)}",
        ),
        "labeler": _By(f"{row}.teammate_id", "", f"{row}.teammate_id IN :keys[]"),
    }
    return by[subject]


def _narrowed(scope: Scope, row: str) -> tuple[str, dict[str, Any]]:
    """The remaining conditions of a scope on an attempt or claim, and their values."""
    wheres, values = "", {}
    if scope.project_id is not None:
        wheres += f" AND {row}.project_id = :project_id"
        values["project_id"] = scope.project_id
    if scope.batch_id is not None:
        wheres += f" AND {row}.batch_id = :batch_id"
        values["batch_id"] = scope.batch_id
    if scope.people is not None:
        wheres += f" AND {row}.teammate_id IN :teammate_ids[]"
        values["teammate_ids"] = list(scope.people)
    return wheres, values


# Attempts at work tasks in a period, counted and timed by key. Each attempt takes part once in the ranks of its key, by
# which the median and the ninetieth percentile are found, and once in the ranks of its task within the key.
DONE = """SELECT key, COUNT(*) AS done, COUNT(active) AS timed, CAST(COALESCE(SUM(active), 0) AS BIGINT) AS active_ms,
  SUM(rejected) AS rejected, MIN(CASE WHEN active IS NOT NULL THEN submitted_at END) AS first,
  MAX(CASE WHEN place = (all_timed + 1) / 2 THEN active END) AS median_ms,
  MAX(CASE WHEN place = (9 * all_timed + 9) / 10 THEN active END) AS p90_ms,
  AVG(CASE WHEN nth = 1 THEN agreement END) AS agreement
FROM (
  SELECT key, active, rejected, submitted_at, agreement,
    ROW_NUMBER() OVER (PARTITION BY key ORDER BY active IS NULL, active) AS place,
    COUNT(active) OVER (PARTITION BY key) AS all_timed,
    ROW_NUMBER() OVER (PARTITION BY key, task_id ORDER BY id) AS nth
  FROM (
    SELECT {key} AS key, h.id, h.task_id, h.submitted_at,
      CASE WHEN h.imported THEN NULL ELSE h.submitted_at - h.started_at END AS active,
      CASE WHEN h.rejected_at IS NOT NULL OR t.review_status = 'rejected' THEN 1 ELSE 0 END AS rejected,
      CASE WHEN t.status = 'completed' AND h.wanted > 1 THEN t.agreement END AS agreement
    FROM attempts h {join} CROSS JOIN tasks t
    WHERE {where} AND t.id = h.task_id AND t.team_id = h.team_id AND t.kind = 'work'
      AND h.id >= :first_id AND h.team_id = :team_id AND h.mode = :mode
      AND h.submitted_at >= :start AND h.submitted_at < :end {narrowed}) AS each_one) AS ranked
GROUP BY key"""


async def done(
    tx: Tx, caller: Caller, subject: Subject, keys: Sequence[str], scope: Scope
) -> dict[str, AttemptFigures]:
    """Attempts at work tasks in the period, by key. Keys without attempts are absent.

    The median (the lower one of two) and the 90th percentile are times of actual attempts, so that both engines return
    the same. A task counts once for the agreement of each key.
    """
    by = _by(subject, "h")
    narrowed, values = _narrowed(scope, "h")
    rows = await tx.all(
        DONE.format(key=by.key, join=by.join, where=by.where, narrowed=narrowed),
        keys=list(keys),
        team_id=caller.team_id,
        mode=caller.mode,
        first_id=earliest_id(scope.start),
        start=scope.start or 0,
        end=scope.end,
        **values,
    )
    return {row["key"]: _done(row) for row in rows}


def _done(row: Row) -> AttemptFigures:
    return AttemptFigures(
        done=row["done"],
        timed=row["timed"],
        rejected=row["rejected"],
        active_ms=row["active_ms"],
        median_ms=row["median_ms"],
        p90_ms=row["p90_ms"],
        first=row["first"],
        agreement=row["agreement"],
    )


async def skipped(tx: Tx, caller: Caller, subject: Subject, keys: Sequence[str], scope: Scope) -> dict[str, int]:
    """The number of tasks declined in the period, by key. A zero-length lease marks a block, which does not count."""
    by = _by(subject, "c")
    narrowed, values = _narrowed(scope, "c")
    rows = await tx.all(
        f"""SELECT {by.key} AS key, COUNT(*) AS skipped FROM claims c {by.join}
            WHERE {by.where} AND c.project_id IN {_PROJECTS_OF_MODE} AND c.state = 'skipped' AND c.team_id = :team_id
              AND c.lease_expires_at > c.claimed_at AND c.ended_at >= :start AND c.ended_at < :end {narrowed}
            GROUP BY {by.key}""",
        keys=list(keys),
        team_id=caller.team_id,
        mode=caller.mode,
        start=scope.start or 0,
        end=scope.end,
        **values,
    )
    return {row["key"]: row["skipped"] for row in rows}


async def evaluated(
    tx: Tx, caller: Caller, subject: Subject, keys: Sequence[str], scope: Scope
) -> dict[str, tuple[int, int]]:
    """The number of attempts at evaluation tasks in the period, and of those passed, by key.

    An evaluation task counts for the batch with whose tasks it was given out.
    """
    by = _by(subject, "c")
    narrowed, values = _narrowed(scope, "c")
    rows = await tx.all(
        f"""SELECT {by.key} AS key, COUNT(*) AS evaluated, SUM(CASE WHEN q.passed THEN 1 ELSE 0 END) AS passed
            FROM projects p CROSS JOIN tasks t CROSS JOIN quality_attempts q CROSS JOIN claims c {by.join}
            WHERE p.team_id = :team_id AND p.mode = :mode AND t.project_id = p.id AND t.team_id = p.team_id
              AND t.kind = 'evaluation' AND t.kind <> 'work' AND q.task_id = t.id AND q.team_id = t.team_id
              AND c.id = q.id AND c.team_id = q.team_id AND {by.where}
              AND c.ended_at >= :start AND c.ended_at < :end {narrowed}
            GROUP BY {by.key}""",
        keys=list(keys),
        team_id=caller.team_id,
        mode=caller.mode,
        start=scope.start or 0,
        end=scope.end,
        **values,
    )
    return {row["key"]: (row["evaluated"], row["passed"]) for row in rows}


async def alphas(tx: Tx, team_id: str, project_ids: Sequence[str]) -> dict[str, float]:
    """Krippendorff's alpha of each project, if known. With several task types, it is that of the type with the most
    attempts."""
    rows = await tx.all(
        """SELECT project_id, alpha FROM project_models
           WHERE team_id = :team_id AND project_id IN :project_ids[] AND question = '' AND alpha IS NOT NULL
           ORDER BY attempts""",
        team_id=team_id,
        project_ids=list(project_ids),
    )
    return {row["project_id"]: row["alpha"] for row in rows}


# --------------------------------------------------------------------------------- who there are figures of


async def projects_page(
    tx: Tx, caller: Caller, only: str | None, limit: int, before: str | None
) -> list[FigureSubject]:
    """The newest first."""
    rows = await tx.all(
        """SELECT id, name FROM projects
           WHERE team_id = :team_id AND mode = :mode AND (CAST(:project_id AS TEXT) IS NULL OR id = :project_id)
             AND (CAST(:before AS TEXT) IS NULL OR id < :before)
           ORDER BY id DESC LIMIT :limit""",
        team_id=caller.team_id,
        mode=caller.mode,
        project_id=only,
        before=before,
        limit=limit,
    )
    return [FigureSubject(row["id"], row["name"], row["id"]) for row in rows]


async def batches_page(tx: Tx, caller: Caller, scope: Scope, limit: int, before: str | None) -> list[FigureSubject]:
    """The newest first."""
    rows = await tx.all(
        """SELECT id, name, project_id FROM batches
           WHERE team_id = :team_id AND mode = :mode AND (CAST(:batch_id AS TEXT) IS NULL OR id = :batch_id)
             AND (CAST(:project_id AS TEXT) IS NULL OR project_id = :project_id)
             AND (CAST(:before AS TEXT) IS NULL OR id < :before)
           ORDER BY id DESC LIMIT :limit""",
        team_id=caller.team_id,
        mode=caller.mode,
        batch_id=scope.batch_id,
        project_id=scope.project_id,
        before=before,
        limit=limit,
    )
    return [FigureSubject(row["id"], row["name"], row["project_id"]) for row in rows]


async def groups_page(
    tx: Tx, caller: Caller, project_id: str, name: str | None, limit: int, before: str | None
) -> list[FigureSubject]:
    """The newest first."""
    rows = await tx.all(
        """SELECT id, name FROM groups
           WHERE team_id = :team_id AND project_id = :project_id AND (CAST(:name AS TEXT) IS NULL OR name = :name)
             AND (CAST(:before AS TEXT) IS NULL OR id < :before)
           ORDER BY id DESC LIMIT :limit""",
        team_id=caller.team_id,
        project_id=project_id,
        name=name,
        before=before,
        limit=limit,
    )
    return [FigureSubject(row["id"], row["name"], project_id) for row in rows]


# Labelers that there are figures of: who is assigned to the project (of none in particular: every active labeler), and
# who else has attempted anything in the period.
LABELERS = """SELECT u.id, u.email FROM teammates u
WHERE u.team_id = :team_id AND (CAST(:before AS TEXT) IS NULL OR u.id < :before) {only}
  AND ((CAST(:project_id AS TEXT) IS NULL AND u.role = 'labeler' AND u.state = 'active')
    OR (SELECT 1 FROM assignments a
        WHERE a.teammate_id = u.id AND a.project_id = :project_id AND a.team_id = :team_id) IS NOT NULL
    OR (SELECT 1 FROM attempts h
        WHERE h.teammate_id = u.id AND h.id >= :first_id AND h.team_id = :team_id AND h.mode = :mode
          AND h.submitted_at >= :start AND h.submitted_at < :end
          AND COALESCE(h.project_id, '') = COALESCE(CAST(:project_id AS TEXT), h.project_id, '')
        LIMIT 1) IS NOT NULL)
ORDER BY u.id DESC LIMIT :limit"""


async def labelers_page(tx: Tx, caller: Caller, scope: Scope, limit: int, before: str | None) -> list[FigureSubject]:
    """The people assigned to the project (without a project: all labelers) and everybody else who did anything in the
    period, newest first."""
    only = "" if scope.people is None else "AND u.id IN :teammate_ids[]"
    people = {} if scope.people is None else {"teammate_ids": list(scope.people)}
    rows = await tx.all(
        LABELERS.format(only=only),
        team_id=caller.team_id,
        mode=caller.mode,
        project_id=scope.project_id,
        first_id=earliest_id(scope.start),
        start=scope.start or 0,
        end=scope.end,
        before=before,
        limit=limit,
        **people,
    )
    return [FigureSubject(row["id"], row["email"], scope.project_id) for row in rows]


# -------------------------------------------------------------------------------- which batches they have


async def batches_of(
    tx: Tx, caller: Caller, subject: Subject, keys: Sequence[str], project_id: str | None
) -> list[tuple[str, str]]:
    """(key, batch): the batches of projects, the batches assigned to groups, and pending batches open to labelers."""
    rows = await tx.all(
        _BATCHES[subject],
        team_id=caller.team_id,
        mode=caller.mode,
        keys=list(keys),
        **({"project_id": project_id} if subject == "labeler" else {}),
    )
    return [(row["key"], row["batch_id"]) for row in rows]


_BATCHES: Mapping[Subject, str] = {
    "project": """SELECT b.project_id AS key, b.id AS batch_id FROM batches b
        WHERE b.team_id = :team_id AND b.mode = :mode AND b.project_id IN :keys[]""",
    "batch": """SELECT b.id AS key, b.id AS batch_id FROM batches b
        WHERE b.team_id = :team_id AND b.mode = :mode AND b.id IN :keys[]""",
    "group": """SELECT g.group_id AS key, b.id AS batch_id FROM batches b
        JOIN batch_groups g ON g.batch_id = b.id AND g.team_id = b.team_id
        WHERE b.team_id = :team_id AND b.mode = :mode AND g.group_id IN :keys[]""",
    "labeler": """SELECT a.teammate_id AS key, b.id AS batch_id
        FROM assignments a JOIN batches b ON b.project_id = a.project_id AND b.team_id = a.team_id
        WHERE b.team_id = :team_id AND b.mode = :mode AND b.state = 'in_progress' AND a.teammate_id IN :keys[]
          AND (CAST(:project_id AS TEXT) IS NULL OR b.project_id = :project_id)
          AND a.paused_at IS NULL AND NOT a.archived
          AND (NOT EXISTS (SELECT 1 FROM batch_groups g WHERE g.batch_id = b.id AND g.team_id = :team_id)
            OR EXISTS (SELECT 1 FROM batch_groups g
              JOIN group_members m ON m.group_id = g.group_id AND m.team_id = g.team_id
              WHERE g.batch_id = b.id AND g.team_id = :team_id AND m.teammate_id = a.teammate_id))""",
}
