"""The rules of claims, of the people who make them, and of what they have attempted."""

from refonte_studio.invariants.model import Rule

# Where a row repeats what its task says: team, mode, project, and of a task for work the batch.
_STRAYS = """SELECT r.id, '{what} of another team, mode, project or batch than its task ' || r.task_id AS found
    FROM {table} r LEFT JOIN tasks t ON t.id = r.task_id AND t.team_id = r.team_id AND t.mode = r.mode
      AND t.project_id = r.project_id AND (t.kind <> 'work' OR t.batch_id = r.batch_id)
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
        "Who holds a claim is active, and assigned to the project.",
        """SELECT c.id, 'held by ' || c.teammate_id || ', who is ' || COALESCE(m.state, 'nobody of the team')
             || CASE WHEN a.project_id IS NULL THEN ', and not assigned' ELSE '' END AS found
           FROM claims c LEFT JOIN teammates m ON m.id = c.teammate_id AND m.team_id = c.team_id
           LEFT JOIN assignments a ON a.teammate_id = c.teammate_id AND a.project_id = c.project_id
           WHERE c.state = 'held' AND (m.id IS NULL OR m.state <> 'active' OR a.project_id IS NULL)""",
    ),
    Rule(
        "archived-for-everybody",
        "Everybody who is assigned to an archived project is kept from its work, and nobody else.",
        """SELECT a.teammate_id AS id, 'assigned to ' || p.id || ', which is '
             || CASE WHEN p.archived_at IS NULL THEN 'not archived' ELSE 'archived' END AS found
           FROM assignments a JOIN projects p ON p.id = a.project_id
           WHERE a.archived <> (p.archived_at IS NOT NULL)""",
    ),
    Rule(
        "taken-once",
        "A person has held, done or declined a task once at most.",
        """SELECT task_id AS id, teammate_id || ' has it ' || COUNT(*) || ' times' AS found
           FROM claims WHERE state IN ('held', 'submitted', 'skipped')
           GROUP BY task_id, teammate_id HAVING COUNT(*) > 1""",
    ),
    Rule(
        "attempted-once",
        "Nobody attempted a task twice, but where it was theirs to do again.",
        """SELECT a.task_id AS id, a.teammate_id || ' attempted it ' || COUNT(*) || ' times' AS found
           FROM attempts a LEFT JOIN claims c ON c.id = a.id AND c.state = 'retaken'
           WHERE c.id IS NULL GROUP BY a.task_id, a.teammate_id HAVING COUNT(*) > 1
           UNION ALL
           SELECT task_id, teammate_id || ' attempted it ' || COUNT(*) || ' times, the last by number ' || MAX(round)
           FROM attempts GROUP BY task_id, teammate_id HAVING MAX(round) <> COUNT(*) OR MIN(round) <> 1""",
    ),
    Rule(
        "submitted-is-attempted",
        "Every submitted claim is an attempt, and every attempt was a submitted claim.",
        """SELECT c.id, 'submitted, and not an attempt of this person at task ' || c.task_id AS found
           FROM claims c
           LEFT JOIN attempts a ON a.id = c.id AND a.task_id = c.task_id AND a.teammate_id = c.teammate_id
           WHERE c.state IN ('submitted', 'retaken') AND a.id IS NULL
           UNION ALL
           SELECT a.id, 'an attempt at task ' || a.task_id || ' whose claim is ' || COALESCE(c.state, 'not there')
           FROM attempts a LEFT JOIN claims c ON c.id = a.id
           WHERE c.id IS NULL OR c.state NOT IN ('submitted', 'retaken')""",
    ),
    Rule(
        "ended-when-not-held",
        "A claim has a time of its end exactly when it is no longer held.",
        """SELECT id, state || CASE WHEN ended_at IS NULL THEN ' without' ELSE ' with' END || ' an end' AS found
           FROM claims
           WHERE (ended_at IS NULL) <> (state = 'held')
             OR state NOT IN ('held', 'submitted', 'skipped', 'released', 'expired', 'ended', 'retaken')""",
    ),
    Rule(
        "claims-fit-their-tasks",
        "A claim names its task's team, mode, project and batch.",
        _STRAYS.format(what="a claim", table="claims"),
    ),
    Rule(
        "attempts-fit-their-tasks",
        "An attempt names its task's team, mode, project and batch.",
        _STRAYS.format(what="an attempt", table="attempts"),
    ),
    Rule(
        "reach-hides-nothing",
        "Of the tasks that a person is past in a batch, none that is open is one they never had.",
        """SELECT r.teammate_id AS id, 'in batch ' || r.batch_id || ' past task ' || p.task_id
             || ', which is open' AS found
           FROM dispatch_cursors r JOIN task_slots p ON p.batch_id = r.batch_id AND p.task_id < r.reached AND p.open > 0
             AND (p.opened IS NULL OR p.opened <= r.seen)
           LEFT JOIN claims c ON c.task_id = p.task_id AND c.teammate_id = r.teammate_id
             AND c.state IN ('held', 'submitted', 'skipped')
           WHERE c.id IS NULL""",
    ),
    Rule(
        "quality-attempts-scored",
        "Every attempt at a training or evaluation task is scored once, and nothing else is.",
        """SELECT a.id, 'an attempt at quality task ' || a.task_id || ' without its score' AS found
           FROM attempts a JOIN tasks t ON t.id = a.task_id
           LEFT JOIN quality_attempts q ON q.id = a.id AND q.task_id = a.task_id AND q.teammate_id = a.teammate_id
           WHERE t.kind <> 'work' AND q.id IS NULL
           UNION ALL
           SELECT q.id, 'a score at task ' || q.task_id || ' of no attempt at a quality task'
           FROM quality_attempts q LEFT JOIN attempts a ON a.id = q.id
           LEFT JOIN tasks t ON t.id = a.task_id AND t.kind <> 'work' WHERE t.id IS NULL
           UNION ALL
           SELECT MIN(id), 'the scores of ' || teammate_id || ' at task ' || task_id || ' are not numbered 1, 2, …'
           FROM quality_attempts GROUP BY task_id, teammate_id
           HAVING MIN(number) <> 1 OR MAX(number) <> COUNT(*)""",
    ),
)
