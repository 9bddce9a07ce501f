-- Finds the next task for work for the holder of a credential. In the same transaction, which is the only one that
-- writes, `store/fast_path.py` then takes one of its slots and makes the claim.
--
-- Returns one row for a person who may work. `is_plain` is 0, and nothing is looked for, where the person holds a task
-- or has rework or training to do, or where a lease of the team has run out; `service/claiming.py` then decides step by
-- step. Where it is 1 and there is no task, task_id is null.
--
-- Parameters: key_hash or token_hash (the other is null), project_name and batch_name (or null), now, stale (a key last
-- used at this time or before is returned as stale).
WITH
  -- The active person who holds the credential, if their role may work.
  me AS MATERIALIZED (
    SELECT u.id, u.team_id, k.mode, u.email, u.role, k.id AS key_id, o.alias_key,
      (k.last_used_at IS NULL OR k.last_used_at <= :stale) AS key_is_stale
    FROM keys k
    JOIN teammates u ON u.id = k.teammate_id AND u.team_id = k.team_id
    JOIN teams o ON o.id = u.team_id
    WHERE k.key_hash = CAST(:key_hash AS TEXT) AND k.revoked_at IS NULL
      AND u.state = 'active' AND u.role IN ('admin', 'manager', 'member', 'labeler')
    UNION ALL
    SELECT u.id, u.team_id, 'live' AS mode, u.email, u.role, NULL AS key_id, o.alias_key, FALSE AS key_is_stale
    FROM sessions v
    JOIN teammates u ON u.id = v.teammate_id AND u.team_id = v.team_id
    JOIN teams o ON o.id = u.team_id
    WHERE v.token_hash = CAST(:token_hash AS TEXT) AND v.expires_at > :now
      AND u.state = 'active' AND u.role IN ('admin', 'manager', 'member', 'labeler')
  ),

  -- One row if a task for work comes next.
  plain AS MATERIALIZED (
    SELECT 1 AS one FROM me
    WHERE NOT EXISTS (
        SELECT 1 FROM claims c
        WHERE c.teammate_id = me.id AND c.mode = me.mode AND c.team_id = me.team_id AND c.state = 'held')
      -- No lease of the team has run out. The index gives the first one; a count would read all that is held.
      AND COALESCE((
        SELECT c.lease_expires_at FROM claims c
        WHERE c.state = 'held' AND c.team_id = (SELECT team_id FROM me)
        ORDER BY c.lease_expires_at LIMIT 1) > :now, TRUE)
      -- No rework, outside of archived projects.
      AND NOT EXISTS (
        SELECT 1 FROM rework_items w
        WHERE w.teammate_id = (SELECT id FROM me) AND w.team_id = (SELECT team_id FROM me)
          AND w.mode = (SELECT mode FROM me)
          AND (SELECT a.archived FROM assignments a
               WHERE a.teammate_id = (SELECT id FROM me) AND a.project_id = w.project_id
                 AND a.team_id = (SELECT team_id FROM me)) IS NOT TRUE)
      -- No training task that the person still owes, except those made of a task that they had a part in.
      AND NOT EXISTS (
        SELECT 1 FROM assignments a CROSS JOIN tasks t
        WHERE a.teammate_id = (SELECT id FROM me) AND a.team_id = (SELECT team_id FROM me)
          AND a.paused_at IS NULL AND NOT a.archived
          AND t.project_id = a.project_id AND t.team_id = (SELECT team_id FROM me)
          -- The index of quality tasks has the condition `kind <> 'work'`; without the cast, SQLite would read the index
          -- of all tasks of the team.
          AND t.kind = 'training' AND t.kind <> 'work' AND CAST(t.mode AS TEXT) = (SELECT mode FROM me)
          AND t.status = 'pending'
          AND NOT EXISTS (
            SELECT 1 FROM claims c
            WHERE c.task_id = t.id AND c.teammate_id = (SELECT id FROM me) AND c.team_id = (SELECT team_id FROM me)
              AND c.state IN ('held', 'submitted', 'skipped'))
          AND (SELECT 1 FROM quality_tasks y JOIN attempts h ON h.task_id = y.source_task_id AND h.team_id = y.team_id
               WHERE y.task_id = t.id AND y.team_id = (SELECT team_id FROM me)
                 AND h.teammate_id = (SELECT id FROM me) LIMIT 1) IS NULL
          AND (SELECT 1 FROM quality_tasks y JOIN reviews r ON r.task_id = y.source_task_id AND r.team_id = y.team_id
               WHERE y.task_id = t.id AND y.team_id = (SELECT team_id FROM me)
                 AND r.reviewer_id = (SELECT id FROM me) LIMIT 1) IS NULL
          AND (SELECT 1 FROM quality_tasks y JOIN audits x ON x.task_id = y.source_task_id AND x.team_id = y.team_id
               WHERE y.task_id = t.id AND y.team_id = (SELECT team_id FROM me)
                 AND x.teammate_id = (SELECT id FROM me) LIMIT 1) IS NULL)
  ),

  -- The first batch in the order of the queue that has a task for the person, and the oldest such task. The index named
  -- in each select is the partial one; without the name, SQLite takes the primary key and reads all that is not open.
  found AS MATERIALIZED (
    SELECT s.task_id, b.project_id, b.id AS batch_id, b.name AS batch, d.reached IS NOT NULL AS has_cursor
    FROM batches b
    LEFT JOIN dispatch_cursors d
      ON d.teammate_id = (SELECT id FROM me) AND d.batch_id = b.id AND d.team_id = (SELECT team_id FROM me)
    JOIN task_slots s ON s.team_id = (SELECT team_id FROM me) AND s.batch_id = b.id AND s.task_id = COALESCE(
      -- Slots that opened behind the person's cursor since it was written: few. The plus has them sorted; otherwise
      -- SQLite would read all open slots for the sake of their order.
      (SELECT s.task_id FROM task_slots s INDEXED BY ix_task_slots_opened
       WHERE s.batch_id = b.id AND s.team_id = (SELECT team_id FROM me) AND s.open > 0
         AND s.opened IS NOT NULL AND s.opened > d.seen AND s.task_id < d.reached
         AND NOT EXISTS (
           SELECT 1 FROM claims c
           WHERE c.task_id = s.task_id AND c.teammate_id = (SELECT id FROM me)
             AND c.team_id = (SELECT team_id FROM me) AND c.state IN ('held', 'submitted', 'skipped'))
       ORDER BY +s.task_id LIMIT 1),
      -- Slots from the cursor on.
      (SELECT s.task_id FROM task_slots s INDEXED BY ix_task_slots_open
       WHERE s.batch_id = b.id AND s.team_id = (SELECT team_id FROM me) AND s.open > 0
         AND s.task_id >= COALESCE(d.reached, '')
         AND NOT EXISTS (
           SELECT 1 FROM claims c
           WHERE c.task_id = s.task_id AND c.teammate_id = (SELECT id FROM me)
             AND c.team_id = (SELECT team_id FROM me) AND c.state IN ('held', 'submitted', 'skipped'))
       ORDER BY s.task_id LIMIT 1))
    WHERE (SELECT one FROM plain) IS NOT NULL
      AND b.team_id = (SELECT team_id FROM me) AND b.mode = (SELECT mode FROM me) AND b.state = 'in_progress'
      AND (CAST(:project_name AS TEXT) IS NULL OR b.project_id = (
        SELECT p.id FROM projects p
        WHERE p.team_id = (SELECT team_id FROM me) AND p.mode = (SELECT mode FROM me) AND p.name = :project_name))
      AND (CAST(:batch_name AS TEXT) IS NULL OR b.name = :batch_name)
      -- The person is assigned to the project and not paused in it, and it is not archived.
      AND (SELECT 1 FROM assignments a
           WHERE a.teammate_id = (SELECT id FROM me) AND a.project_id = b.project_id
             AND a.team_id = (SELECT team_id FROM me) AND a.paused_at IS NULL AND NOT a.archived) IS NOT NULL
      -- The batch has no groups, or one of theirs.
      AND ((SELECT 1 FROM batch_groups g
            WHERE g.batch_id = b.id AND g.team_id = (SELECT team_id FROM me) LIMIT 1) IS NULL
        OR (SELECT 1 FROM batch_groups g JOIN group_members m ON m.group_id = g.group_id AND m.team_id = g.team_id
            WHERE g.batch_id = b.id AND g.team_id = (SELECT team_id FROM me)
              AND m.teammate_id = (SELECT id FROM me) LIMIT 1) IS NOT NULL)
    ORDER BY b.position NULLS LAST, b.id LIMIT 1
  )

SELECT me.id AS me, me.team_id, me.mode, me.email, me.role, me.key_id, me.alias_key, me.key_is_stale,
  (SELECT one FROM plain) IS NOT NULL AS is_plain,
  found.task_id, found.project_id, found.batch_id, found.batch, found.has_cursor,
  t.type, t.params, p.name AS project, p.evaluates, p.evaluation_mix AS mix
FROM me
LEFT JOIN found ON TRUE
LEFT JOIN tasks t ON t.id = found.task_id AND t.team_id = me.team_id
LEFT JOIN projects p ON p.id = found.project_id AND p.team_id = me.team_id
