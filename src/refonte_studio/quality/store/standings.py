"""The SQL of how people stand: what counts of their training and evaluation."""

from collections.abc import Mapping, Sequence

from refonte_studio.db import Row, Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.quality.model import Course, Feedback, Tally

Pair = tuple[str, str]  # a person and a project

# Whether an attempt (a) counts in an assignment (s): it was made since then, and since a pause was last lifted.
_COUNTS = """a.submitted_at >= CASE WHEN s.counts_from > s.created_at THEN s.counts_from ELSE s.created_at END"""


def not_their_own(person: str, team: str) -> str:
    """A condition: that a quality task (t) was not made of one that a person of a team, given by SQL expressions for
    their ids, had a part in, so that they know what is expected: they attempted, reviewed or audited it."""
    # Selects of one value, and not EXISTS, which PostgreSQL may turn into a look at everything.
    return " AND ".join(
        f"""(SELECT 1 FROM quality_tasks x JOIN {table} y ON y.task_id = x.source_task_id AND y.team_id = x.team_id
        WHERE x.task_id = t.id AND x.team_id = {team} AND y.{column} = {person} LIMIT 1) IS NULL"""
        for table, column in (("attempts", "teammate_id"), ("reviews", "reviewer_id"), ("audits", "teammate_id"))
    )


_NOT_THEIR_OWN = not_their_own("s.teammate_id", ":team_id")
_PASSED = """EXISTS (
      SELECT 1 FROM quality_attempts q
      WHERE q.task_id = t.id AND q.teammate_id = s.teammate_id AND q.team_id = :team_id AND q.passed)"""


async def tallies(tx: Tx, team_id: str, pairs: Sequence[Pair]) -> Mapping[Pair, Tally]:
    """The evaluation tasks that count, of these people in these projects."""
    rows = await tx.all(
        f"""SELECT s.teammate_id, s.project_id, COUNT(*) AS evaluated,
              SUM(CASE WHEN q.passed THEN 1 ELSE 0 END) AS passed, AVG(q.score) AS mean_score
            FROM assignments s
            JOIN quality_attempts q ON q.teammate_id = s.teammate_id AND q.team_id = s.team_id
            JOIN tasks t ON t.id = q.task_id AND t.team_id = s.team_id AND t.project_id = s.project_id
              AND t.kind = 'evaluation'
            JOIN attempts a ON a.id = q.id AND a.team_id = s.team_id
            WHERE s.team_id = :team_id AND s.teammate_id IN :teammate_ids[] AND s.project_id IN :project_ids[] AND {_COUNTS}
            GROUP BY s.teammate_id, s.project_id""",
        **_of(team_id, pairs),
    )
    return {
        (row["teammate_id"], row["project_id"]): Tally(row["evaluated"], row["passed"], float(row["mean_score"]))
        for row in rows
    }


async def trained(tx: Tx, team_id: str, pairs: Sequence[Pair]) -> Mapping[Pair, tuple[int, int]]:
    """How many training tasks these projects have for these people, and how many of them they have passed."""
    rows = await tx.all(
        f"""SELECT s.teammate_id, s.project_id, COUNT(*) AS tasks, SUM(CASE WHEN {_PASSED} THEN 1 ELSE 0 END) AS passed
            FROM assignments s
            JOIN tasks t ON t.project_id = s.project_id AND t.team_id = s.team_id AND t.kind = 'training'
              AND t.kind <> 'work' AND t.status = 'pending'
            WHERE s.team_id = :team_id AND s.teammate_id IN :teammate_ids[] AND s.project_id IN :project_ids[] AND {_NOT_THEIR_OWN}
            GROUP BY s.teammate_id, s.project_id""",
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
    """The person's own courses: in the projects that they are assigned to and that have training for them."""
    rows = await tx.all(
        f"""SELECT p.name, s.paused_at, COUNT(*) AS tasks, SUM(CASE WHEN {_PASSED} THEN 1 ELSE 0 END) AS passed
            FROM assignments s JOIN projects p ON p.id = s.project_id AND p.team_id = s.team_id
            JOIN tasks t ON t.project_id = s.project_id AND t.team_id = s.team_id AND t.kind = 'training'
              AND t.kind <> 'work' AND t.status = 'pending'
            WHERE s.team_id = :team_id AND s.teammate_id = :me AND p.mode = :mode AND NOT s.archived
              AND {_NOT_THEIR_OWN}
            GROUP BY p.name, s.paused_at ORDER BY p.name LIMIT :limit""",
        team_id=caller.team_id,
        me=caller.teammate_id,
        mode=caller.mode,
        limit=limit,
    )
    return [Course(row["name"], row["tasks"], row["passed"], row["paused_at"] is not None) for row in rows]


async def training_tries(tx: Tx, team_id: str, teammate_id: str, task_id: str) -> int:
    """How many attempts of a training task by this person count."""
    row = await tx.one(
        f"""SELECT COUNT(*) AS tries FROM attempts a
            JOIN assignments s ON s.teammate_id = a.teammate_id AND s.project_id = a.project_id
              AND s.team_id = a.team_id
            WHERE a.task_id = :task_id AND a.teammate_id = :teammate_id AND a.team_id = :team_id AND {_COUNTS}""",
        team_id=team_id,
        teammate_id=teammate_id,
        task_id=task_id,
    )
    assert row is not None
    return row["tries"]


async def training_attempt(tx: Tx, caller: Caller, claim_id: str) -> Feedback | None:
    """What there is to show of a claim of this person's own; None if it is not an attempt of a training task."""
    row: Row | None = await tx.one(
        """SELECT a.id, a.task_id, a.project_id, a.response, q.number, q.score, q.passed, x.expected_response
           FROM attempts a JOIN tasks t ON t.id = a.task_id AND t.team_id = a.team_id AND t.kind = 'training'
           JOIN quality_attempts q ON q.id = a.id AND q.team_id = a.team_id
           JOIN quality_tasks x ON x.task_id = a.task_id AND x.team_id = a.team_id
           WHERE a.id = :claim_id AND a.teammate_id = :me AND a.team_id = :team_id AND a.mode = :mode""",
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
