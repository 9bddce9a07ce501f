"""The rules of tasks, of their slots and of their attempts.

Each statement reads its tables from end to end at most once, and joins them by what is indexed.
"""

from refonte_studio.invariants.model import Rule

# Where the slots of a task are: a quality task's are not a batch's.
_BATCH = "CASE WHEN t.kind = 'work' THEN t.batch_id ELSE '' END"

TASK_RULES = (
    Rule(
        "slots-while-pending",
        "A task has a row of slots exactly while it is pending.",
        f"""SELECT t.id, 'it is pending and has no slots' AS found
            FROM tasks t LEFT JOIN task_slots p ON p.batch_id = {_BATCH} AND p.task_id = t.id
            WHERE t.status = 'pending' AND p.task_id IS NULL
            UNION ALL
            SELECT p.task_id, 'it has slots and is ' || COALESCE(t.status, 'not there, or elsewhere')
            FROM task_slots p LEFT JOIN tasks t ON t.id = p.task_id AND t.team_id = p.team_id AND p.batch_id = {_BATCH}
            WHERE t.id IS NULL OR t.status <> 'pending'""",
    ),
    Rule(
        "slots-add-up",
        "No slot is given out twice: what is open is what is wanted, less the attempts, and less the people who hold"
        " the task or have it to do again; under review, or while a result is made, nothing is open.",
        """SELECT p.task_id AS id, 'wanted ' || p.wanted || ', attempts ' || p.attempts || ', held or kept '
             || COALESCE(h.taken, 0) || ', and open ' || p.open AS found
           FROM task_slots p JOIN tasks t ON t.id = p.task_id
           LEFT JOIN (
             SELECT task_id, COUNT(*) AS taken FROM (
               SELECT task_id, teammate_id FROM claims WHERE state = 'held'
               UNION SELECT task_id, teammate_id FROM rework_items) AS people
             GROUP BY task_id) h ON h.task_id = p.task_id
           WHERE p.open <> CASE WHEN t.kind = 'work' AND NOT p.reviewing AND NOT p.judging
             THEN p.wanted - p.attempts - COALESCE(h.taken, 0) ELSE 0 END""",
    ),
    Rule(
        "slots-count-attempts",
        "The slots of a task know how many attempts it has that count.",
        """SELECT p.task_id AS id, 'attempts ' || p.attempts || ', and there are ' || COALESCE(a.made, 0) AS found
           FROM task_slots p
           LEFT JOIN (SELECT task_id, COUNT(*) AS made FROM attempts WHERE rejected_at IS NULL GROUP BY task_id) a
             ON a.task_id = p.task_id
           WHERE p.attempts <> COALESCE(a.made, 0)""",
    ),
    Rule(
        "pending-for-a-reason",
        "A pending task for work wants more attempts than it has, is under review, or waits for its result.",
        """SELECT p.task_id AS id, 'it has ' || p.attempts || ' of ' || p.wanted || ' attempts and is pending' AS found
           FROM task_slots p JOIN tasks t ON t.id = p.task_id
           WHERE t.kind = 'work' AND (p.attempts >= p.wanted AND NOT p.reviewing AND NOT p.judging
             OR p.wanted NOT BETWEEN 1 AND CASE WHEN p.judging THEN 100 ELSE 15 END)""",
    ),
    Rule(
        "results-postponed-once",
        "A task waits for one result from the background exactly while its slots say so; it is then worked by nobody,"
        " and has an attempt.",
        """SELECT t.id, COALESCE(r.waiting, 0) || ' results to be made, and it is ' || t.status
             || CASE WHEN COALESCE(p.judging, FALSE) THEN ', waiting for one' ELSE '' END AS found
           FROM tasks t LEFT JOIN task_slots p ON p.batch_id = t.batch_id AND p.task_id = t.id
           LEFT JOIN (
             SELECT task_id, COUNT(*) AS waiting FROM postponed_results WHERE done_at IS NULL GROUP BY task_id) r
             ON r.task_id = t.id
           WHERE COALESCE(r.waiting, 0) <> CASE WHEN COALESCE(p.judging, FALSE) THEN 1 ELSE 0 END
           UNION ALL
           SELECT p.task_id, 'waiting for its result, with ' || p.attempts || ' attempts'
             || CASE WHEN p.reviewing THEN ', and under review' ELSE '' END
             || CASE WHEN c.id IS NULL THEN '' ELSE ', and held' END
             || CASE WHEN d.task_id IS NULL THEN '' ELSE ', and to do again' END
           FROM task_slots p LEFT JOIN claims c ON c.task_id = p.task_id AND c.state = 'held'
           LEFT JOIN rework_items d ON d.task_id = p.task_id
           WHERE p.judging AND (p.attempts < 1 OR p.reviewing OR c.id IS NOT NULL OR d.task_id IS NOT NULL)
           UNION ALL
           SELECT r.task_id, 'a postponed result of another team, mode, project or batch than its task'
           FROM postponed_results r LEFT JOIN tasks t ON t.id = r.task_id AND t.team_id = r.team_id AND t.mode = r.mode
             AND t.project_id = r.project_id AND t.batch_id = r.batch_id AND t.kind = 'work'
           WHERE t.id IS NULL""",
    ),
    Rule(
        "attempts-numbered",
        "The attempts of a task for work that count are numbered 1, 2, … without a gap.",
        """SELECT a.task_id AS id, COUNT(*) || ' attempts, numbered ' || MIN(number) || ' to ' || MAX(number) AS found
           FROM attempts a JOIN tasks t ON t.id = a.task_id
           WHERE t.kind = 'work' AND a.rejected_at IS NULL GROUP BY a.task_id
           HAVING MIN(number) <> 1 OR MAX(number) <> COUNT(*) OR COUNT(DISTINCT number) <> COUNT(*)""",
    ),
    Rule(
        "completed-by-its-last-attempt",
        "The attempt that makes up the number wanted is the last, and completes its task at once, has it reviewed, or"
        " leaves its result to the background; but of those that came with a task, all count.",
        """SELECT a.task_id AS id, 'attempt ' || a.number || ' of ' || a.wanted || ' wanted, and ' || m.made
             || ' in all; the task is ' || t.status AS found
           FROM attempts a JOIN tasks t ON t.id = a.task_id
           JOIN (SELECT task_id, COUNT(*) AS made FROM attempts WHERE rejected_at IS NULL GROUP BY task_id) m
             ON m.task_id = a.task_id
           WHERE t.kind = 'work' AND a.number >= a.wanted AND a.rejected_at IS NULL AND NOT a.imported
             AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.task_id = a.task_id)
             AND NOT EXISTS (SELECT 1 FROM postponed_results r
               WHERE r.task_id = a.task_id
                 AND (r.done_at IS NULL OR r.done_at = t.completed_at OR t.status = 'canceled'))
             AND (a.number <> a.wanted OR m.made <> a.number OR t.status <> 'completed'
               OR t.completed_at <> a.submitted_at)""",
    ),
    # A manager, or a new pipeline, completes a task with fewer attempts than its last one wanted, but never with none.
    Rule(
        "completed-by-somebody",
        "A completed task for work has an attempt; in test mode it has none, and is completed from the start.",
        """SELECT t.id, 'completed without an attempt' AS found
           FROM tasks t LEFT JOIN attempts a ON a.task_id = t.id
           WHERE t.status = 'completed' AND t.kind = 'work' AND t.mode <> 'test' AND a.id IS NULL
           UNION ALL
           SELECT t.id, 'in test mode, and ' || t.status FROM tasks t
           WHERE t.mode = 'test' AND (t.status <> 'completed' OR t.completed_at <> t.created_at)
           UNION ALL
           SELECT a.task_id, 'in test mode, and attempted' FROM attempts a WHERE a.mode = 'test'""",
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
        "A training or evaluation task has an expected response and, but in test mode, is never completed.",
        """SELECT t.id, t.kind || ', and it is ' || t.status
             || CASE WHEN q.task_id IS NULL THEN ', without an expected response' ELSE '' END AS found
           FROM tasks t LEFT JOIN quality_tasks q ON q.task_id = t.id AND q.team_id = t.team_id
           WHERE t.kind <> 'work' AND (q.task_id IS NULL OR (t.status = 'completed' AND t.mode <> 'test'))
           UNION ALL
           SELECT q.task_id, 'an expected response of a task for work, or of none'
           FROM quality_tasks q LEFT JOIN tasks t ON t.id = q.task_id AND t.kind <> 'work' WHERE t.id IS NULL""",
    ),
)
