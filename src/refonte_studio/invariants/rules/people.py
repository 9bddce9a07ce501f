"""Invariants of claims, of the people who make them, and of attempts."""

from refonte_studio.db.sql_names import ALIASES
from refonte_studio.invariants.model import Rule

# Rows whose team, mode, project or (for a work task) batch differs from those of their task.
_STRAYS = """SELECT {alias}.id,
      '{what} of another team, mode, project or batch than its task ' || {alias}.task_id AS found
    FROM {table} {alias} LEFT JOIN tasks t ON t.id = {alias}.task_id AND t.team_id = {alias}.team_id
      AND t.mode = {alias}.mode AND t.project_id = {alias}.project_id
      AND (t.kind <> 'work' OR t.batch_id = {alias}.batch_id)
    WHERE t.id IS NULL"""

PEOPLE_RULES = (
    Rule(
        "held-while-pending",
        "Nobody holds a task that has ended.",
        """SELECT c.id, 'held, on task ' || c.task_id || ', which is ' || COALESCE(t.status, 'not there') AS found
           FROM claims c LEFT JOIN tasks t ON t.id = c.task_id
           WHERE c.state = 'held' AND (t.id IS NULL OR t.status <> 'pending')""",
    ),
    Rule(
        "held-one-at-a-time",
        "A person holds at most one claim in a mode.",
        """SELECT teammate_id AS id, 'holds ' || COUNT(*) || ' claims in ' || mode || ' mode' AS found
           FROM claims WHERE state = 'held' GROUP BY teammate_id, mode HAVING COUNT(*) > 1""",
    ),
    Rule(
        "held-by-those-who-may",
        "A person who holds a claim is active, and assigned to the project.",
        """SELECT c.id, 'held by ' || c.teammate_id || ', who is ' || COALESCE(u.state, 'nobody of the team')
             || CASE WHEN a.project_id IS NULL THEN ', and not assigned' ELSE '' END AS found
           FROM claims c LEFT JOIN teammates u ON u.id = c.teammate_id AND u.team_id = c.team_id
           LEFT JOIN assignments a ON a.teammate_id = c.teammate_id AND a.project_id = c.project_id
           WHERE c.state = 'held' AND (u.id IS NULL OR u.state <> 'active' OR a.project_id IS NULL)""",
    ),
    Rule(
        "archived-for-everybody",
        "Assignments are marked as archived exactly if their project is archived.",
        """SELECT a.teammate_id AS id, 'assigned to ' || p.id || ', which is '
             || CASE WHEN p.archived_at IS NULL THEN 'not archived' ELSE 'archived' END AS found
           FROM assignments a JOIN projects p ON p.id = a.project_id
           WHERE a.archived <> (p.archived_at IS NOT NULL)""",
    ),
    Rule(
        "taken-once",
        "A person holds, has submitted or has skipped a task at most once.",
        """SELECT task_id AS id, teammate_id || ' has it ' || COUNT(*) || ' times' AS found
           FROM claims WHERE state IN ('held', 'submitted', 'skipped')
           GROUP BY task_id, teammate_id HAVING COUNT(*) > 1""",
    ),
    Rule(
        "attempted-once",
        "Nobody attempts a task twice, unless they had to do it again.",
        """SELECT h.task_id AS id, h.teammate_id || ' attempted it ' || COUNT(*) || ' times' AS found
           FROM attempts h LEFT JOIN claims c ON c.id = h.id AND c.state = 'retaken'
           WHERE c.id IS NULL GROUP BY h.task_id, h.teammate_id HAVING COUNT(*) > 1
           UNION ALL
           SELECT task_id, teammate_id || ' attempted it ' || COUNT(*) || ' times, the last by number ' || MAX(round)
           FROM attempts GROUP BY task_id, teammate_id HAVING MAX(round) <> COUNT(*) OR MIN(round) <> 1""",
    ),
    Rule(
        "submitted-is-attempted",
        "Every submitted claim is an attempt, and every attempt was a submitted claim.",
        """SELECT c.id, 'submitted, and not an attempt of this person at task ' || c.task_id AS found
           FROM claims c
           LEFT JOIN attempts h ON h.id = c.id AND h.task_id = c.task_id AND h.teammate_id = c.teammate_id
           WHERE c.state IN ('submitted', 'retaken') AND h.id IS NULL
           UNION ALL
           SELECT h.id, 'an attempt at task ' || h.task_id || ' whose claim is ' || COALESCE(c.state, 'not there')
           FROM attempts h LEFT JOIN claims c ON c.id = h.id
           WHERE c.id IS NULL OR c.state NOT IN ('submitted', 'retaken')""",
    ),
    Rule(
        "ended-when-not-held",
        "A claim has an end time exactly if it is no longer held.",
        """SELECT id, state || CASE WHEN ended_at IS NULL THEN ' without' ELSE ' with' END || ' an end' AS found
           FROM claims
           WHERE (ended_at IS NULL) <> (state = 'held')
             OR state NOT IN ('held', 'submitted', 'skipped', 'released', 'expired', 'ended', 'retaken')""",
    ),
    Rule(
        "claims-fit-their-tasks",
        "A claim names its task's team, mode, project and batch.",
        _STRAYS.format(what="a claim", table="claims", alias=ALIASES["claims"]),
    ),
    Rule(
        "attempts-fit-their-tasks",
        "An attempt names its task's team, mode, project and batch.",
        _STRAYS.format(what="an attempt", table="attempts", alias=ALIASES["attempts"]),
    ),
    Rule(
        "reach-hides-nothing",
        "A dispatch cursor is past no open task that the person has not had.",
        """SELECT d.teammate_id AS id, 'in batch ' || d.batch_id || ' past task ' || s.task_id
             || ', which is open' AS found
           FROM dispatch_cursors d JOIN task_slots s ON s.batch_id = d.batch_id AND s.task_id < d.reached AND s.open > 0
             AND (s.opened IS NULL OR s.opened <= d.seen)
           LEFT JOIN claims c ON c.task_id = s.task_id AND c.teammate_id = d.teammate_id
             AND c.state IN ('held', 'submitted', 'skipped')
           WHERE c.id IS NULL""",
    ),
    Rule(
        "quality-attempts-scored",
        "Every attempt at a training or evaluation task is scored once, and nothing else is.",
        """SELECT h.id, 'an attempt at quality task ' || h.task_id || ' without its score' AS found
           FROM attempts h JOIN tasks t ON t.id = h.task_id
           LEFT JOIN quality_attempts q ON q.id = h.id AND q.task_id = h.task_id AND q.teammate_id = h.teammate_id
           WHERE t.kind <> 'work' AND q.id IS NULL
           UNION ALL
           SELECT q.id, 'a score at task ' || q.task_id || ' of no attempt at a quality task'
           FROM quality_attempts q LEFT JOIN attempts h ON h.id = q.id
           LEFT JOIN tasks t ON t.id = h.task_id AND t.kind <> 'work' WHERE t.id IS NULL
           UNION ALL
           SELECT MIN(id), 'the scores of ' || teammate_id || ' at task ' || task_id || ' are not numbered 1, 2, …'
           FROM quality_attempts GROUP BY task_id, teammate_id
           HAVING MIN(number) <> 1 OR MAX(number) <> COUNT(*)""",
    ),
)
