"""Invariants of tasks, of their slots and of their attempts.

Each statement reads each table at most once in full, and joins on indexed columns.
"""

from refonte_studio.invariants.model import Rule

# The batch_id of a task's slots, which is empty for a quality task.
_BATCH = "CASE WHEN t.kind = 'work' THEN t.batch_id ELSE '' END"

TASK_RULES = (
    Rule(
        "slots-while-pending",
        "A task has a row of slots exactly while it is pending.",
        f"""SELECT t.id, 'it is pending and has no slots' AS found
            FROM tasks t LEFT JOIN task_slots s ON s.batch_id = {_BATCH} AND s.task_id = t.id
            WHERE t.status = 'pending' AND s.task_id IS NULL
            UNION ALL
            SELECT s.task_id, 'it has slots and is ' || COALESCE(t.status, 'not there, or elsewhere')
            FROM task_slots s LEFT JOIN tasks t ON t.id = s.task_id AND t.team_id = s.team_id AND s.batch_id = {_BATCH}
            WHERE t.id IS NULL OR t.status <> 'pending'""",
    ),
    Rule(
        "slots-add-up",
        "No slot is given out twice: the number of open slots is the number wanted, minus attempts, held claims and"
        " rework items. During a review, or while a result is computed, no slot is open.",
        """SELECT s.task_id AS id, 'wanted ' || s.wanted || ', attempts ' || s.attempts || ', held or kept '
             || COALESCE(taken.people, 0) || ', and open ' || s.open AS found
           FROM task_slots s JOIN tasks t ON t.id = s.task_id
           LEFT JOIN (
             SELECT task_id, COUNT(*) AS people FROM (
               SELECT task_id, teammate_id FROM claims WHERE state = 'held'
               UNION SELECT task_id, teammate_id FROM rework_items) AS pairs
             GROUP BY task_id) AS taken ON taken.task_id = s.task_id
           WHERE s.open <> CASE WHEN t.kind = 'work' AND NOT s.reviewing AND NOT s.judging
             THEN s.wanted - s.attempts - COALESCE(taken.people, 0) ELSE 0 END""",
    ),
    Rule(
        "slots-count-attempts",
        "The slots of a task hold the number of its attempts that count.",
        """SELECT s.task_id AS id, 'attempts ' || s.attempts || ', and there are ' || COALESCE(counted.made, 0) AS found
           FROM task_slots s
           LEFT JOIN (
             SELECT task_id, COUNT(*) AS made FROM attempts WHERE rejected_at IS NULL GROUP BY task_id) AS counted
             ON counted.task_id = s.task_id
           WHERE s.attempts <> COALESCE(counted.made, 0)""",
    ),
    Rule(
        "pending-for-a-reason",
        "A pending task for work wants more attempts than it has, is under review, or waits for its result.",
        """SELECT s.task_id AS id, 'it has ' || s.attempts || ' of ' || s.wanted || ' attempts and is pending' AS found
           FROM task_slots s JOIN tasks t ON t.id = s.task_id
           WHERE t.kind = 'work' AND (s.attempts >= s.wanted AND NOT s.reviewing AND NOT s.judging
             OR s.wanted NOT BETWEEN 1 AND CASE WHEN s.judging THEN 100 ELSE 15 END)""",
    ),
    Rule(
        "results-postponed-once",
        "A task waits for one background result exactly while its slots say so; nobody works on it then, and it has"
        " an attempt.",
        """SELECT t.id, COALESCE(due.waiting, 0) || ' results to be made, and it is ' || t.status
             || CASE WHEN COALESCE(s.judging, FALSE) THEN ', waiting for one' ELSE '' END AS found
           FROM tasks t LEFT JOIN task_slots s ON s.batch_id = t.batch_id AND s.task_id = t.id
           LEFT JOIN (
             SELECT task_id, COUNT(*) AS waiting FROM postponed_results WHERE done_at IS NULL GROUP BY task_id) AS due
             ON due.task_id = t.id
           WHERE COALESCE(due.waiting, 0) <> CASE WHEN COALESCE(s.judging, FALSE) THEN 1 ELSE 0 END
           UNION ALL
           SELECT s.task_id, 'waiting for its result, with ' || s.attempts || ' attempts'
             || CASE WHEN s.reviewing THEN ', and under review' ELSE '' END
             || CASE WHEN c.id IS NULL THEN '' ELSE ', and held' END
             || CASE WHEN w.task_id IS NULL THEN '' ELSE ', and to do again' END
           FROM task_slots s LEFT JOIN claims c ON c.task_id = s.task_id AND c.state = 'held'
           LEFT JOIN rework_items w ON w.task_id = s.task_id
           WHERE s.judging AND (s.attempts < 1 OR s.reviewing OR c.id IS NOT NULL OR w.task_id IS NOT NULL)
           UNION ALL
           SELECT pr.task_id, 'a postponed result of another team, mode, project or batch than its task'
           FROM postponed_results pr LEFT JOIN tasks t ON t.id = pr.task_id AND t.team_id = pr.team_id
             AND t.mode = pr.mode AND t.project_id = pr.project_id AND t.batch_id = pr.batch_id AND t.kind = 'work'
           WHERE t.id IS NULL""",
    ),
    Rule(
        "attempts-numbered",
        "The attempts of a task for work that count are numbered 1, 2, … without a gap.",
        """SELECT h.task_id AS id, COUNT(*) || ' attempts, numbered ' || MIN(number) || ' to ' || MAX(number) AS found
           FROM attempts h JOIN tasks t ON t.id = h.task_id
           WHERE t.kind = 'work' AND h.rejected_at IS NULL GROUP BY h.task_id
           HAVING MIN(number) <> 1 OR MAX(number) <> COUNT(*) OR COUNT(DISTINCT number) <> COUNT(*)""",
    ),
    Rule(
        "completed-by-its-last-attempt",
        "The attempt that reaches the number wanted is the last one: it completes its task, opens a review, or leaves"
        " the result to the background. Imported attempts may exceed that number.",
        """SELECT h.task_id AS id, 'attempt ' || h.number || ' of ' || h.wanted || ' wanted, and ' || counted.made
             || ' in all; the task is ' || t.status AS found
           FROM attempts h JOIN tasks t ON t.id = h.task_id
           JOIN (SELECT task_id, COUNT(*) AS made FROM attempts WHERE rejected_at IS NULL GROUP BY task_id) AS counted
             ON counted.task_id = h.task_id
           WHERE t.kind = 'work' AND h.number >= h.wanted AND h.rejected_at IS NULL AND NOT h.imported
             AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.task_id = h.task_id)
             AND NOT EXISTS (SELECT 1 FROM postponed_results pr
               WHERE pr.task_id = h.task_id
                 AND (pr.done_at IS NULL OR pr.done_at = t.completed_at OR t.status = 'canceled'))
             AND (h.number <> h.wanted OR counted.made <> h.number OR t.status <> 'completed'
               OR t.completed_at <> h.submitted_at)""",
    ),
    # A manager, or a new pipeline, completes a task with fewer attempts than its last one wanted, but never with none.
    Rule(
        "completed-by-somebody",
        "A completed task for work has an attempt; in test mode it has none, and is completed from the start.",
        """SELECT t.id, 'completed without an attempt' AS found
           FROM tasks t LEFT JOIN attempts h ON h.task_id = t.id
           WHERE t.status = 'completed' AND t.kind = 'work' AND t.mode <> 'test' AND h.id IS NULL
           UNION ALL
           SELECT t.id, 'in test mode, and ' || t.status FROM tasks t
           WHERE t.mode = 'test' AND (t.status <> 'completed' OR t.completed_at <> t.created_at)
           UNION ALL
           SELECT h.task_id, 'in test mode, and attempted' FROM attempts h WHERE h.mode = 'test'""",
    ),
    Rule(
        "completed-with-a-response",
        "A task has a response, and a time of completion, exactly when it is completed.",
        """SELECT id, status || CASE WHEN response IS NULL THEN ' without' ELSE ' with' END || ' a response,'
             || CASE WHEN completed_at IS NULL THEN ' without' ELSE ' with' END || ' a time of completion' AS found
           FROM tasks
           WHERE (response IS NOT NULL) <> (status = 'completed')
             OR (completed_at IS NOT NULL) <> (status = 'completed')
             OR status NOT IN ('pending', 'completed', 'canceled')""",
    ),
    Rule(
        "quality-tasks-stay",
        "A training or evaluation task has an expected response and, except in test mode, is never completed.",
        """SELECT t.id, t.kind || ', and it is ' || t.status
             || CASE WHEN y.task_id IS NULL THEN ', without an expected response' ELSE '' END AS found
           FROM tasks t LEFT JOIN quality_tasks y ON y.task_id = t.id AND y.team_id = t.team_id
           WHERE t.kind <> 'work' AND (y.task_id IS NULL OR (t.status = 'completed' AND t.mode <> 'test'))
           UNION ALL
           SELECT y.task_id, 'an expected response of a task for work, or of none'
           FROM quality_tasks y LEFT JOIN tasks t ON t.id = y.task_id AND t.kind <> 'work' WHERE t.id IS NULL""",
    ),
)
