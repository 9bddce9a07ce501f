"""Invariants of reviews and of rework items."""

from refonte_studio.invariants.model import Rule

# Whether a review is the last one of its task.
_LAST = "NOT EXISTS (SELECT 1 FROM reviews r_later WHERE r_later.task_id = r.task_id AND r_later.id > r.id)"

REVIEW_RULES = (
    Rule(
        "reviewed-one-by-one",
        "A task has exactly one undecided review while it is under review, and otherwise none.",
        """SELECT t.id, COALESCE(undecided.pending, 0) || ' reviews that are not decided, and it is ' || t.status
             || CASE WHEN COALESCE(s.reviewing, FALSE) THEN ', under review' ELSE '' END AS found
           FROM tasks t LEFT JOIN task_slots s ON s.batch_id = t.batch_id AND s.task_id = t.id
           LEFT JOIN (
             SELECT task_id, COUNT(*) AS pending FROM reviews WHERE state IN ('open', 'held')
             GROUP BY task_id) AS undecided
             ON undecided.task_id = t.id
           WHERE COALESCE(undecided.pending, 0) <> CASE WHEN COALESCE(s.reviewing, FALSE) THEN 1 ELSE 0 END
           UNION ALL
           SELECT r.task_id, 'a review of a task that is not there, or no task for work'
           FROM reviews r LEFT JOIN tasks t ON t.id = r.task_id AND t.kind = 'work' WHERE t.id IS NULL""",
    ),
    Rule(
        "nobody-works-under-review",
        "A task under review has an attempt, is held by nobody, and has no rework item.",
        """SELECT s.task_id AS id, 'under review, with ' || s.attempts || ' attempts'
             || CASE WHEN c.id IS NULL THEN '' ELSE ', and held' END
             || CASE WHEN w.task_id IS NULL THEN '' ELSE ', and to do again' END AS found
           FROM task_slots s LEFT JOIN claims c ON c.task_id = s.task_id AND c.state = 'held'
           LEFT JOIN rework_items w ON w.task_id = s.task_id
           WHERE s.reviewing AND (s.attempts < 1 OR c.id IS NOT NULL OR w.task_id IS NOT NULL)""",
    ),
    Rule(
        "reviews-in-a-state",
        "A held review has a reviewer and a lease; one has a time of its end exactly when it is decided or ended, a"
        " response of its own when it fixed one, and comments and a direction when it rejected.",
        """SELECT id, state || CASE WHEN reviewer_id IS NULL THEN ', of nobody' ELSE '' END
             || CASE WHEN decided_at IS NULL THEN '' ELSE ', decided at a time' END AS found
           FROM reviews
           WHERE state NOT IN ('open', 'held', 'accepted', 'fixed', 'rejected', 'ended')
             OR (decided_at IS NULL) <> (state IN ('open', 'held'))
             OR (state NOT IN ('open', 'ended') AND (reviewer_id IS NULL OR started_at IS NULL))
             OR (state = 'held' AND lease_expires_at IS NULL)
             OR (response IS NULL) = (state = 'fixed')
             OR (state = 'rejected' AND comments IS NULL) OR (sent_to IS NULL) = (state = 'rejected')""",
    ),
    Rule(
        "reviews-held-one-at-a-time",
        "A person holds at most one review in a mode.",
        """SELECT reviewer_id AS id, 'holds ' || COUNT(*) || ' reviews in ' || mode || ' mode' AS found
           FROM reviews WHERE state = 'held' GROUP BY reviewer_id, mode HAVING COUNT(*) > 1""",
    ),
    Rule(
        "reviewed-by-others",
        "Nobody reviews a task that they attempted, or attempts a task that they reviewed.",
        """SELECT r.id, r.reviewer_id || ' attempted task ' || r.task_id AS found
           FROM reviews r JOIN attempts h ON h.task_id = r.task_id AND h.teammate_id = r.reviewer_id""",
    ),
    Rule(
        "every-level-by-another",
        "A person who accepted or fixed a task does not review it at the next level.",
        """SELECT r.id, r.reviewer_id || ' reviewed level ' || r_before.level || ' before level ' || r.level AS found
           FROM reviews r JOIN reviews r_before ON r_before.task_id = r.task_id
             AND r_before.reviewer_id = r.reviewer_id AND r_before.id < r.id
             AND r_before.level < r.level AND r_before.state IN ('accepted', 'fixed')
           WHERE r.state NOT IN ('open', 'ended') AND NOT EXISTS (
             SELECT 1 FROM reviews r_rejected
             WHERE r_rejected.task_id = r.task_id AND r_rejected.state = 'rejected' AND r_rejected.id > r_before.id
               AND r_rejected.id < r.id)""",
    ),
    Rule(
        "reviews-carried-out",
        "The last accepted or fixed review completes its task; a rejection discards its attempts at that moment.",
        f"""SELECT r.id, r.state || ' last, and task ' || t.id || ' is ' || t.status AS found
            FROM reviews r JOIN tasks t ON t.id = r.task_id
            WHERE r.state IN ('accepted', 'fixed') AND {_LAST} AND NOT (t.status = 'completed' AND t.reviewed
              AND t.completed_at = r.decided_at)
            UNION ALL
            SELECT r.id, 'rejected, and no attempt was' FROM reviews r
            WHERE r.state = 'rejected' AND NOT EXISTS (
              SELECT 1 FROM attempts h WHERE h.task_id = r.task_id AND h.rejected_at = r.decided_at)
            UNION ALL
            SELECT h.id, 'an attempt that no review rejected' FROM attempts h
            WHERE h.rejected_at IS NOT NULL AND NOT EXISTS (
              SELECT 1 FROM reviews r
              WHERE r.task_id = h.task_id AND r.state = 'rejected' AND r.decided_at = h.rejected_at)""",
    ),
    Rule(
        "reviews-fit-their-tasks",
        "Reviews and rework items have the team, mode, project and batch of their task.",
        """SELECT r.id, 'a review of another team, mode, project or batch than its task ' || r.task_id AS found
           FROM reviews r LEFT JOIN tasks t ON t.id = r.task_id AND t.team_id = r.team_id AND t.mode = r.mode
             AND t.project_id = r.project_id AND t.batch_id = r.batch_id
           WHERE t.id IS NULL
           UNION ALL
           SELECT w.task_id, 'to do again, in another team, mode, project or batch'
           FROM rework_items w LEFT JOIN tasks t ON t.id = w.task_id AND t.team_id = w.team_id AND t.mode = w.mode
             AND t.project_id = w.project_id AND t.batch_id = w.batch_id
           WHERE t.id IS NULL""",
    ),
    Rule(
        "done-again-by-those-who-may",
        "A rework item belongs to an active, assigned person whose attempt was rejected and who has not had the task"
        " since; and the task is pending.",
        """SELECT w.task_id AS id, 'to do again by ' || w.teammate_id
             || CASE WHEN t.id IS NULL THEN ', not pending' ELSE '' END
             || CASE WHEN u.id IS NULL THEN ', not active' ELSE '' END
             || CASE WHEN a.project_id IS NULL THEN ', not assigned' ELSE '' END
             || CASE WHEN c.id IS NULL THEN '' ELSE ', who has ' || c.state || ' it' END AS found
           FROM rework_items w LEFT JOIN tasks t ON t.id = w.task_id AND t.status = 'pending'
           LEFT JOIN teammates u ON u.id = w.teammate_id AND u.team_id = w.team_id AND u.state = 'active'
           LEFT JOIN assignments a ON a.teammate_id = w.teammate_id AND a.project_id = w.project_id
           LEFT JOIN claims c ON c.task_id = w.task_id AND c.teammate_id = w.teammate_id
             AND c.state IN ('submitted', 'skipped')
           WHERE t.id IS NULL OR u.id IS NULL OR a.project_id IS NULL OR c.id IS NOT NULL OR NOT EXISTS (
             SELECT 1 FROM attempts h WHERE h.task_id = w.task_id AND h.teammate_id = w.teammate_id
               AND h.rejected_at IS NOT NULL)""",
    ),
)
