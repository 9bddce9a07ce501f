"""The SQL of people's standing: the attempts that count for their training and evaluation."""

from collections.abc import Mapping, Sequence

from refonte_studio.db import Row, Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.quality.model import Course, Feedback, Tally

Pair = tuple[str, str]  # a person and a project

# Whether an attempt (h) counts in an assignment (a): it is newer than the assignment and than the last lifted pause.
_COUNTS = """h.submitted_at >= CASE WHEN a.counts_from > a.created_at THEN a.counts_from ELSE a.created_at END"""


def not_their_own(person: str, team: str) -> str:
    """Returns a condition on a quality task (t): that it was not copied from a task that the person attempted, reviewed
    or audited, because they would know the expected response. `person` and `team` are SQL expressions of ids."""
    # Scalar subselects instead of EXISTS, which PostgreSQL may turn into a scan of the whole table.
    return " AND ".join(
        f"""(SELECT 1 FROM quality_tasks y JOIN {part} ON {part[-1]}.task_id = y.source_task_id
          AND {part[-1]}.team_id = y.team_id
        WHERE y.task_id = t.id AND y.team_id = {team} AND {part[-1]}.{column} = {person} LIMIT 1) IS NULL"""
        for part, column in (("attempts h", "teammate_id"), ("reviews r", "reviewer_id"), ("audits x", "teammate_id"))
    )


_NOT_THEIR_OWN = not_their_own("a.teammate_id", ":team_id")
_PASSED = """EXISTS (
      SELECT 1 FROM quality_attempts q
      WHERE q.task_id = t.id AND q.teammate_id = a.teammate_id AND q.team_id = :team_id AND q.passed)"""


async def tallies(tx: Tx, team_id: str, pairs: Sequence[Pair]) -> Mapping[Pair, Tally]:
    """Returns the tallies of these people in these projects, from the evaluation tasks that count."""
    rows = await tx.all(
        f"""SELECT a.teammate_id, a.project_id, COUNT(*) AS evaluated,
              SUM(CASE WHEN q.passed THEN 1 ELSE 0 END) AS passed, AVG(q.score) AS mean_score
            FROM assignments a
            JOIN quality_attempts q ON q.teammate_id = a.teammate_id AND q.team_id = a.team_id
            JOIN tasks t ON t.id = q.task_id AND t.team_id = a.team_id AND t.project_id = a.project_id
              AND t.kind = 'evaluation'
            JOIN attempts h ON h.id = q.id AND h.team_id = a.team_id
            WHERE a.team_id = :team_id AND a.teammate_id IN :teammate_ids[] AND a.project_id IN :project_ids[]
              AND {_COUNTS}
            GROUP BY a.teammate_id, a.project_id""",
        **_of(team_id, pairs),
    )
    return {
        (row["teammate_id"], row["project_id"]): Tally(row["evaluated"], row["passed"], float(row["mean_score"]))
        for row in rows
    }


async def trained(tx: Tx, team_id: str, pairs: Sequence[Pair]) -> Mapping[Pair, tuple[int, int]]:
    """Returns the number of training tasks that these projects have for these people, and how many are passed."""
    rows = await tx.all(
        f"""SELECT a.teammate_id, a.project_id, COUNT(*) AS tasks, SUM(CASE WHEN {_PASSED} THEN 1 ELSE 0 END) AS passed
            FROM assignments a
            JOIN tasks t ON t.project_id = a.project_id AND t.team_id = a.team_id AND t.kind = 'training'
              AND t.kind <> 'work' AND t.status = 'pending'
            WHERE a.team_id = :team_id AND a.teammate_id IN :teammate_ids[] AND a.project_id IN :project_ids[]
              AND {_NOT_THEIR_OWN}
            GROUP BY a.teammate_id, a.project_id""",
        **_of(team_id, pairs),
    )
    return {(row["teammate_id"], row["project_id"]): (row["tasks"], row["passed"]) for row in rows}


def _of(team_id: str, pairs: Sequence[Pair]) -> dict[str, str | list[str]]:
    return {
        "team_id": team_id,
        "teammate_ids": sorted({teammate_id for teammate_id, _ in pairs}),
        "project_ids": sorted({project_id for _, project_id in pairs}),
    }


async def courses(tx: Tx, caller: Caller, limit: int) -> list[Course]:
    """Returns the person's courses in the projects that they are assigned to and that have training for them."""
    rows = await tx.all(
        f"""SELECT p.name, a.paused_at, COUNT(*) AS tasks, SUM(CASE WHEN {_PASSED} THEN 1 ELSE 0 END) AS passed
            FROM assignments a JOIN projects p ON p.id = a.project_id AND p.team_id = a.team_id
            JOIN tasks t ON t.project_id = a.project_id AND t.team_id = a.team_id AND t.kind = 'training'
              AND t.kind <> 'work' AND t.status = 'pending'
            WHERE a.team_id = :team_id AND a.teammate_id = :me AND p.mode = :mode AND NOT a.archived
              AND {_NOT_THEIR_OWN}
            GROUP BY p.name, a.paused_at ORDER BY p.name LIMIT :limit""",
        team_id=caller.team_id,
        me=caller.teammate_id,
        mode=caller.mode,
        limit=limit,
    )
    return [Course(row["name"], row["tasks"], row["passed"], row["paused_at"] is not None) for row in rows]


async def training_tries(tx: Tx, team_id: str, teammate_id: str, task_id: str) -> int:
    """Returns the number of this person's attempts at a training task that count."""
    row = await tx.one(
        f"""SELECT COUNT(*) AS tries FROM attempts h
            JOIN assignments a ON a.teammate_id = h.teammate_id AND a.project_id = h.project_id
              AND a.team_id = h.team_id
            WHERE h.task_id = :task_id AND h.teammate_id = :teammate_id AND h.team_id = :team_id AND {_COUNTS}""",
        team_id=team_id,
        teammate_id=teammate_id,
        task_id=task_id,
    )
    assert row is not None
    return row["tries"]


async def training_attempt(tx: Tx, caller: Caller, claim_id: str) -> Feedback | None:
    """Returns the feedback on the person's own claim; None if it is not an attempt at a training task."""
    row: Row | None = await tx.one(
        """SELECT h.id, h.task_id, h.project_id, h.response, q.number, q.score, q.passed, y.expected_response
           FROM attempts h JOIN tasks t ON t.id = h.task_id AND t.team_id = h.team_id AND t.kind = 'training'
           JOIN quality_attempts q ON q.id = h.id AND q.team_id = h.team_id
           JOIN quality_tasks y ON y.task_id = h.task_id AND y.team_id = h.team_id
           WHERE h.id = :claim_id AND h.teammate_id = :me AND h.team_id = :team_id AND h.mode = :mode""",
        claim_id=claim_id,
        me=caller.teammate_id,
        team_id=caller.team_id,
        mode=caller.mode,
    )
    if row is None:
        return None
    return Feedback(
        claim_id=row["id"],
        task_id=row["task_id"],
        project_id=row["project_id"],
        score=row["score"],
        passed=bool(row["passed"]),
        attempt=row["number"],
        attempts_left=0,
        response=row["response"],
        expected_response=row["expected_response"],
    )
