-- Claims the next task for work for the holder of a credential: finds it, takes one of its slots and makes the claim.
--
-- Only the plain case is decided here. The statement changes nothing and returns no row where the person holds a task,
-- has rework or training to do, or is due an evaluation task first; where a lease of the team has run out; or where
-- there is no task. `service/claiming.py` then decides step by step.
--
-- Parameters: key_hash or token_hash (the other is null), project_name and batch_name (or null), claim_id, now,
-- lease_expires_at, stale (a key last used at this time or before is returned as stale).
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
          -- The index of quality tasks has the condition `kind <> 'work'`.
          AND t.kind = 'training' AND t.kind <> 'work' AND t.mode = (SELECT mode FROM me) AND t.status = 'pending'
          AND NOT EXISTS (
            SELECT 1 FROM claims c
            WHERE c.task_id = t.id AND c.teammate_id = (SELECT id FROM me) AND c.team_id = (SELECT team_id FROM me)
              AND c.state IN ('held', 'submitted', 'skipped'))
          -- Selects of one value: PostgreSQL may turn an EXISTS into a read of the whole table.
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

  -- The first batch in the order of the queue that has a task for the person, and the oldest such task, its slots
  -- locked. MATERIALIZED and the inner selects keep the planner from turning the walk into a join of everything.
  found AS MATERIALIZED (
    SELECT candidate.task_id, candidate.project_id, candidate.batch_id, candidate.batch, candidate.has_cursor
    FROM plain CROSS JOIN LATERAL (
      SELECT picked.task_id, b.project_id, b.id AS batch_id, b.name AS batch, d.reached IS NOT NULL AS has_cursor
      FROM batches b
      LEFT JOIN dispatch_cursors d
        ON d.teammate_id = (SELECT id FROM me) AND d.batch_id = b.id AND d.team_id = (SELECT team_id FROM me)
      CROSS JOIN LATERAL (
        SELECT one_of_two.task_id FROM (
          -- Tasks that others are just locking are passed over...
          (
            SELECT locked.task_id FROM (
              -- Slots that opened behind the person's cursor since it was written: few, so they are read and sorted.
              (WITH behind AS MATERIALIZED (
                 SELECT s.task_id FROM task_slots s
                 WHERE s.batch_id = b.id AND s.team_id = (SELECT team_id FROM me) AND s.open > 0
                   AND s.opened IS NOT NULL AND s.opened > d.seen AND s.task_id < d.reached
                   AND NOT EXISTS (
                     SELECT 1 FROM claims c
                     WHERE c.task_id = s.task_id AND c.teammate_id = (SELECT id FROM me)
                       AND c.team_id = (SELECT team_id FROM me) AND c.state IN ('held', 'submitted', 'skipped')))
               SELECT behind.task_id FROM behind ORDER BY behind.task_id)
              UNION ALL
              -- Slots from the cursor on, in the order of the index.
              (SELECT s.task_id FROM task_slots s
               WHERE s.batch_id = b.id AND s.team_id = (SELECT team_id FROM me) AND s.open > 0
                 AND s.task_id >= COALESCE(d.reached, '')
                 AND NOT EXISTS (
                   SELECT 1 FROM claims c
                   WHERE c.task_id = s.task_id AND c.teammate_id = (SELECT id FROM me)
                     AND c.team_id = (SELECT team_id FROM me) AND c.state IN ('held', 'submitted', 'skipped'))
               ORDER BY s.task_id)) AS walk
            CROSS JOIN LATERAL (
              SELECT s.task_id FROM task_slots s
              WHERE s.batch_id = b.id AND s.task_id = walk.task_id AND s.team_id = (SELECT team_id FROM me) AND s.open > 0
              FOR UPDATE SKIP LOCKED) AS locked
            LIMIT 1
          )
          UNION ALL
          -- ...but before the walk leaves the batch, it waits to see what they leave.
          (
            SELECT locked.task_id FROM (
              -- Slots that opened behind the person's cursor since it was written: few, so they are read and sorted.
              (WITH behind AS MATERIALIZED (
                 SELECT s.task_id FROM task_slots s
                 WHERE s.batch_id = b.id AND s.team_id = (SELECT team_id FROM me) AND s.open > 0
                   AND s.opened IS NOT NULL AND s.opened > d.seen AND s.task_id < d.reached
                   AND NOT EXISTS (
                     SELECT 1 FROM claims c
                     WHERE c.task_id = s.task_id AND c.teammate_id = (SELECT id FROM me)
                       AND c.team_id = (SELECT team_id FROM me) AND c.state IN ('held', 'submitted', 'skipped')))
               SELECT behind.task_id FROM behind ORDER BY behind.task_id)
              UNION ALL
              -- Slots from the cursor on, in the order of the index.
              (SELECT s.task_id FROM task_slots s
               WHERE s.batch_id = b.id AND s.team_id = (SELECT team_id FROM me) AND s.open > 0
                 AND s.task_id >= COALESCE(d.reached, '')
                 AND NOT EXISTS (
                   SELECT 1 FROM claims c
                   WHERE c.task_id = s.task_id AND c.teammate_id = (SELECT id FROM me)
                     AND c.team_id = (SELECT team_id FROM me) AND c.state IN ('held', 'submitted', 'skipped'))
               ORDER BY s.task_id)) AS walk
            CROSS JOIN LATERAL (
              SELECT s.task_id FROM task_slots s
              WHERE s.batch_id = b.id AND s.task_id = walk.task_id AND s.team_id = (SELECT team_id FROM me) AND s.open > 0
              FOR UPDATE) AS locked
            LIMIT 1
          )
        ) AS one_of_two
        LIMIT 1
      ) AS picked
      WHERE b.team_id = (SELECT team_id FROM me) AND b.mode = (SELECT mode FROM me) AND b.state = 'in_progress'
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
        -- Something is open from the cursor on, or has opened behind it. These two looks into an index pass most
        -- batches that a person is through with; the walk itself costs ten times as much, even where it finds nothing.
        AND ((SELECT 1 FROM task_slots s
              WHERE s.batch_id = b.id AND s.team_id = (SELECT team_id FROM me) AND s.open > 0
                AND s.task_id >= COALESCE(d.reached, '') LIMIT 1) IS NOT NULL
          OR (SELECT 1 FROM task_slots s
              WHERE s.batch_id = b.id AND s.team_id = (SELECT team_id FROM me) AND s.open > 0
                AND s.opened IS NOT NULL AND s.opened > d.seen LIMIT 1) IS NOT NULL)
      ORDER BY b.position NULLS LAST, b.id LIMIT 1
    ) AS candidate
  ),

  -- The task found, unless an evaluation task may come before it: by chance, but the same at every try
  -- (`policy/choices.py`), so by the first four hex digits of an MD5.
  chosen AS MATERIALIZED (
    SELECT found.task_id, found.project_id, found.batch_id, found.batch, found.has_cursor FROM found
    JOIN projects p ON p.id = found.project_id AND p.team_id = (SELECT team_id FROM me)
    WHERE NOT (p.evaluates
      AND ('x' || left(md5((SELECT id FROM me) || found.task_id), 4))::bit(16)::int < p.evaluation_mix
      AND EXISTS (
        SELECT 1 FROM tasks t
        WHERE t.project_id = found.project_id AND t.team_id = (SELECT team_id FROM me)
          AND t.kind = 'evaluation' AND t.kind <> 'work' AND t.status = 'pending'
          AND NOT EXISTS (
            SELECT 1 FROM claims c
            WHERE c.task_id = t.id AND c.teammate_id = (SELECT id FROM me) AND c.team_id = (SELECT team_id FROM me)
              AND c.state IN ('held', 'submitted', 'skipped'))))
  ),

  -- Nobody can unassign or pause the person until this is committed. Slots are locked first, assignments second.
  assigned AS MATERIALIZED (
    SELECT a.team_id FROM assignments a
    WHERE a.teammate_id = (SELECT id FROM me) AND a.project_id = (SELECT project_id FROM chosen)
      AND a.team_id = (SELECT team_id FROM me) AND a.paused_at IS NULL AND NOT a.archived
    FOR SHARE
  ),

  claimed AS (
    INSERT INTO claims (id, team_id, mode, task_id, project_id, batch_id, teammate_id, state, claimed_at,
      lease_expires_at)
    SELECT :claim_id, a.team_id, me.mode, chosen.task_id, chosen.project_id, chosen.batch_id, me.id, 'held', :now, :lease_expires_at
    FROM me CROSS JOIN chosen CROSS JOIN assigned a
    RETURNING team_id, batch_id, task_id
  ),

  taken AS (
    UPDATE task_slots s SET open = s.open - 1 FROM claimed
    WHERE s.batch_id = claimed.batch_id AND s.task_id = claimed.task_id AND s.team_id = claimed.team_id
  )

SELECT me.id AS me, me.team_id, me.mode, me.email, me.role, me.key_id, me.alias_key, me.key_is_stale,
  TRUE AS is_plain,
  chosen.task_id, chosen.project_id, chosen.batch_id, chosen.batch, chosen.has_cursor,
  t.type, t.params, p.name AS project, p.evaluates, p.evaluation_mix AS mix
FROM claimed
CROSS JOIN me
CROSS JOIN chosen
JOIN tasks t ON t.id = claimed.task_id AND t.team_id = claimed.team_id
JOIN projects p ON p.id = chosen.project_id AND p.team_id = claimed.team_id
