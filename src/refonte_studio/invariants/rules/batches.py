"""Invariants of batches (counts, states and positions in the queue) and of callbacks."""

from refonte_studio.invariants.model import Rule

# Number of work tasks of each batch in each state, counted from the rows.
_REAL = """SELECT batch_id, SUM(CASE WHEN status = 'pending' THEN 1 ELSE 0 END) AS pending,
    SUM(CASE WHEN status = 'completed' THEN 1 ELSE 0 END) AS completed,
    SUM(CASE WHEN status = 'canceled' THEN 1 ELSE 0 END) AS canceled
    FROM tasks WHERE kind = 'work' GROUP BY batch_id"""

# The same numbers, as the API shows them.
_SHOWN = """SELECT batch_id, SUM(pending) AS pending, SUM(completed) AS completed, SUM(canceled) AS canceled
    FROM (SELECT batch_id, pending, completed, canceled FROM batch_counts
          UNION ALL SELECT batch_id, pending, completed, canceled FROM batch_deltas) AS parts
    GROUP BY batch_id"""

BATCH_RULES = (
    Rule(
        "counts-are-the-rows",
        "The counts shown for a batch equal the numbers of its tasks.",
        f"""SELECT batch_id AS id, 'shown ' || SUM(shown_pending) || ' pending, ' || SUM(shown_completed)
              || ' completed, ' || SUM(shown_canceled) || ' canceled; there are ' || SUM(pending) || ', '
              || SUM(completed) || ', ' || SUM(canceled) AS found
            FROM (SELECT batch_id, pending, completed, canceled,
                    0 AS shown_pending, 0 AS shown_completed, 0 AS shown_canceled FROM ({_REAL}) AS real_counts
                  UNION ALL
                  SELECT batch_id, 0, 0, 0, pending, completed, canceled FROM ({_SHOWN}) AS shown_counts) AS both_counts
            GROUP BY batch_id
            HAVING SUM(pending) <> SUM(shown_pending) OR SUM(completed) <> SUM(shown_completed)
              OR SUM(canceled) <> SUM(shown_canceled)""",
    ),
    Rule(
        "batches-follow-their-tasks",
        "A completed batch has no pending task; a finalized Studio batch, or another one with tasks, is completed"
        " when it has none.",
        f"""SELECT b.id, b.state || ', with ' || COALESCE(tally.pending, 0) || ' pending tasks' AS found
            FROM batches b LEFT JOIN ({_REAL}) AS tally ON tally.batch_id = b.id
            WHERE (b.state = 'completed' AND COALESCE(tally.pending, 0) > 0)
              OR (b.state = 'in_progress' AND COALESCE(tally.pending, 0) = 0
                AND (CASE WHEN b.studio THEN NOT b.is_default ELSE tally.batch_id IS NOT NULL END))""",
    ),
    Rule(
        "batches-in-a-state",
        "Only Studio batches are staged, default Studio batches are always in progress, and times agree with states.",
        """SELECT id, state || CASE WHEN studio THEN ', Studio' ELSE '' END
             || CASE WHEN is_default THEN ', default' ELSE '' END
             || CASE WHEN finalized_at IS NULL THEN '' ELSE ', finalized' END
             || CASE WHEN completed_at IS NULL THEN '' ELSE ', completed at a time' END AS found
           FROM batches
           WHERE state NOT IN ('staging', 'in_progress', 'completed')
             OR (completed_at IS NOT NULL) <> (state = 'completed')
             OR (state = 'staging' AND (is_default OR NOT studio OR finalized_at IS NOT NULL))
             OR (studio AND is_default AND state <> 'in_progress')
             OR (studio AND NOT is_default AND state <> 'staging' AND finalized_at IS NULL)""",
    ),
    Rule(
        "queue-of-the-pending",
        "Pending batches of Studio projects, and no others, have a position in the queue.",
        """SELECT id, state || COALESCE(', at place ' || position, ', at no place') AS found FROM batches
           WHERE (position IS NOT NULL) <> (studio AND state = 'in_progress')""",
    ),
    Rule(
        "queue-one-by-one",
        "No two batches have the same position in a queue.",
        """SELECT MIN(id) AS id, COUNT(*) || ' batches at place ' || position || ' in ' || mode || ' mode' AS found
           FROM batches WHERE position IS NOT NULL GROUP BY team_id, mode, position HAVING COUNT(*) > 1""",
    ),
    Rule(
        "told-once",
        "The end of a task or of a Studio batch is announced at most once, and only after it has ended.",
        """SELECT cb.subject_id AS id, COUNT(*) || ' callbacks tell of it' AS found
           FROM callbacks cb LEFT JOIN batches b ON b.id = cb.subject_id AND NOT b.studio
           WHERE b.id IS NULL AND cb.event NOT IN ('labeler.paused', 'task.changed', 'task.audited', 'task.resent')
           GROUP BY cb.subject_id HAVING COUNT(*) > 1
           UNION ALL
           SELECT cb.subject_id, cb.event || ', and it is ' || COALESCE(t.status, b.state, 'not there')
           FROM callbacks cb LEFT JOIN tasks t ON t.id = cb.subject_id LEFT JOIN batches b ON b.id = cb.subject_id
           WHERE cb.event <> 'labeler.paused'
             AND NOT CASE
             WHEN cb.event IN ('task.completed', 'task.changed', 'task.audited')
             THEN COALESCE(t.status, '') = 'completed'
             WHEN cb.event = 'task.resent' THEN COALESCE(t.status, 'pending') <> 'pending'
             WHEN cb.event = 'task.canceled' THEN COALESCE(t.status, '') = 'canceled'
             ELSE b.id IS NOT NULL AND (b.state = 'completed' OR NOT b.studio) END""",
    ),
)
