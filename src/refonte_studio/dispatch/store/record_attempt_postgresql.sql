-- Records an attempt that does not complete its task: moves the claim, counts the attempt and inserts it.
--
-- Changes nothing and returns no row if the claim is not live any more, or if this would be the task's last attempt.
-- Each step reads what the step before it wrote, so that they run in this order: slots are locked before claims.
WITH
  locked AS MATERIALIZED (
    SELECT 1 AS one FROM task_slots s
    WHERE s.batch_id = :batch_id AND s.task_id = :task_id AND s.team_id = :team_id AND s.attempts + 1 < s.wanted
    FOR UPDATE
  ),

  moved AS (
    UPDATE claims c SET state = 'submitted', ended_at = :now FROM locked
    WHERE c.id = :claim_id AND c.team_id = :team_id AND c.state = 'held' AND c.lease_expires_at > :now
    RETURNING c.id, c.team_id, c.mode, c.task_id, c.project_id, c.teammate_id, c.claimed_at
  ),

  counted AS (
    UPDATE task_slots s SET attempts = s.attempts + 1 FROM moved
    WHERE s.batch_id = :batch_id AND s.task_id = moved.task_id AND s.team_id = moved.team_id
    RETURNING s.attempts, s.wanted
  ),

  recorded AS (
    INSERT INTO attempts (id, team_id, mode, task_id, project_id, batch_id, teammate_id, number, wanted, response,
      started_at, submitted_at)
    SELECT moved.id, moved.team_id, moved.mode, moved.task_id, moved.project_id, :batch_id, moved.teammate_id,
      counted.attempts, counted.wanted, :response, moved.claimed_at, :now
    FROM moved CROSS JOIN counted
  )

SELECT counted.attempts AS number, counted.wanted FROM counted
