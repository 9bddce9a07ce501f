-- Records the last attempt of a task that nobody else holds, and completes the task with the result of its attempts.
--
-- Changes nothing and returns no row if the claim is not live any more, if the task wants another number of attempts
-- than the result was made of, or if fewer than `far` tasks of the batch are pending, so that this one may be among the
-- last. Each step reads what the step before it wrote, so that they run in this order: slots are locked before claims.
WITH
  locked AS MATERIALIZED (
    SELECT s.attempts + 1 AS number, s.wanted FROM task_slots s
    WHERE s.batch_id = :batch_id AND s.task_id = :task_id AND s.team_id = :team_id
      AND s.wanted = :wanted AND s.attempts + 1 = s.wanted AND s.open = 0
      AND (SELECT COUNT(*) FROM (
             SELECT 1 FROM task_slots s_other WHERE s_other.batch_id = :batch_id AND s_other.team_id = :team_id
             ORDER BY s_other.task_id DESC LIMIT :far) AS newest) >= :far
    FOR UPDATE
  ),

  moved AS (
    UPDATE claims c SET state = 'submitted', ended_at = :now FROM locked
    WHERE c.id = :claim_id AND c.team_id = :team_id AND c.state = 'held' AND c.lease_expires_at > :now
    RETURNING c.id, c.team_id, c.mode, c.task_id, c.project_id, c.teammate_id, c.claimed_at
  ),

  ended AS (
    DELETE FROM task_slots s USING moved
    WHERE s.batch_id = :batch_id AND s.task_id = moved.task_id AND s.team_id = moved.team_id
  ),

  recorded AS (
    INSERT INTO attempts (id, team_id, mode, task_id, project_id, batch_id, teammate_id, number, wanted, response,
      started_at, submitted_at)
    SELECT moved.id, moved.team_id, moved.mode, moved.task_id, moved.project_id, :batch_id, moved.teammate_id,
      locked.number, locked.wanted, :response, moved.claimed_at, :now
    FROM moved CROSS JOIN locked
  ),

  completed AS (
    UPDATE tasks t SET status = 'completed', response = :result, confidence = CAST(:confidence AS FLOAT),
      agreement = CAST(:agreement AS FLOAT), completed_at = :now, updated_at = :now
    FROM moved WHERE t.id = moved.task_id AND t.team_id = moved.team_id
  ),

  -- No counter is updated: concurrent completions would wait for its row.
  counted AS (
    INSERT INTO batch_deltas (team_id, batch_id, pending, completed, canceled)
    SELECT moved.team_id, :batch_id, -1, 1, 0 FROM moved
  ),

  callback AS (
    INSERT INTO callbacks (id, team_id, mode, url, event, subject_id, state, tries, next_try_at, created_at, lane)
    SELECT :callback_id, moved.team_id, moved.mode, :url, 'task.completed', moved.task_id, 'waiting', 0, :now, :now, :lane
    FROM moved WHERE CAST(:url AS TEXT) IS NOT NULL
  )

SELECT locked.number, locked.wanted FROM moved CROSS JOIN locked
