-- Reads what the submission of a claim is about, for the holder of a credential: their claim, its task, what the task
-- still wants and, if this is its last attempt, what its result is made of.
--
-- Returns no row unless it is the person's own live claim on a task for work. The attempt
-- is recorded in the same transaction, which is the only one that writes.
--
-- Parameters: key_hash or token_hash (the other is null), claim_id, now, stale (a key last used at this time or before is
-- returned as stale), inline_bytes (of the responses that are read together).
SELECT u.id AS me, u.team_id, c.mode, u.email, u.role, k.id AS key_id, o.alias_key,
  (k.id IS NOT NULL AND (k.last_used_at IS NULL OR k.last_used_at <= :stale)) AS key_is_stale,
  c.task_id, c.project_id, c.claimed_at,
  s.batch_id, s.wanted, s.attempts, s.open,
  t.type, t.params, t.callback_url,
  p.pipeline, p.consensus_attempts, p.quality, p.evaluates,
  -- The models of the project's questions, and of the people who attempted the task. Most projects have none.
  CASE WHEN s.attempts + 1 >= s.wanted THEN (
    SELECT NULLIF(json_group_array(json_array(n.question, n.model)), '[]') FROM project_models n
    WHERE n.project_id = t.project_id AND n.team_id = t.team_id) END AS question_models,
  CASE WHEN s.attempts + 1 >= s.wanted AND EXISTS (
    SELECT 1 FROM project_models n WHERE n.project_id = t.project_id AND n.team_id = t.team_id) THEN (
    SELECT json_group_array(json_array(l.question, l.teammate_id, l.model)) FROM labeler_models l
    WHERE l.project_id = t.project_id AND l.team_id = t.team_id AND l.teammate_id IN (
      SELECT u.id
      UNION ALL
      SELECT h.teammate_id FROM attempts h WHERE h.task_id = t.id AND h.team_id = t.team_id)) END AS person_models,
  -- The earlier attempts, in their order; null if there are none, or if they are too large to be read here.
  CASE WHEN s.attempts > 0 AND s.attempts + 1 >= s.wanted THEN (
    SELECT CASE WHEN SUM(LENGTH(CAST(earlier.response AS BLOB))) <= :inline_bytes THEN
      json_group_array(json_array(earlier.teammate_id, earlier.response)) END
    FROM (
      SELECT h.teammate_id, h.response FROM attempts h
      WHERE h.task_id = t.id AND h.team_id = t.team_id AND h.rejected_at IS NULL ORDER BY h.number) AS earlier) END AS earlier_attempts,
  -- Whether another task of the batch is pending: if not, this attempt may complete the batch.
  EXISTS (
    SELECT 1 FROM task_slots s_other
    WHERE s_other.batch_id = s.batch_id AND s_other.team_id = s.team_id AND s_other.task_id <> s.task_id) AS more_are_pending
FROM claims c
-- The active person who made the claim and holds the credential, if their role may work. A session opens the live mode.
JOIN teammates u ON u.id = c.teammate_id AND u.team_id = c.team_id
  AND u.state = 'active' AND u.role IN ('admin', 'manager', 'member', 'labeler')
JOIN teams o ON o.id = u.team_id
LEFT JOIN keys k ON k.key_hash = CAST(:key_hash AS TEXT) AND k.revoked_at IS NULL
  AND k.teammate_id = c.teammate_id AND k.team_id = c.team_id AND k.mode = c.mode
LEFT JOIN sessions v ON v.token_hash = CAST(:token_hash AS TEXT) AND v.expires_at > :now
  AND v.teammate_id = c.teammate_id AND v.team_id = c.team_id AND c.mode = 'live'
JOIN tasks t ON t.id = c.task_id AND t.team_id = c.team_id AND t.kind = 'work'
JOIN task_slots s ON s.batch_id = t.batch_id AND s.task_id = t.id AND s.team_id = c.team_id
JOIN projects p ON p.id = t.project_id AND p.team_id = t.team_id
WHERE c.id = :claim_id AND c.state = 'held' AND c.lease_expires_at > :now
  AND (k.id IS NOT NULL OR v.token_hash IS NOT NULL)
