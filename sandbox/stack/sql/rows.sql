-- What years of use leave behind: legacy columns that no migration made, and rows in every table.
BEGIN;
SELECT setseed(0.25);

CREATE EXTENSION IF NOT EXISTS vector;

ALTER TABLE sessions
  ADD COLUMN openclaw_session_key varchar(200),
  ADD COLUMN openclaw_channel varchar(50);
ALTER TABLE messages ADD COLUMN openclaw_payload jsonb;

INSERT INTO agent_state (agent_id, status, pheromone_score, tasks_completed, tasks_failed, last_active, config) VALUES
  ('aria', 'active', 0.91, 1204, 17, now() - interval '3 minutes', '{"temperature": 0.7}'),
  ('researcher', 'active', 0.64, 310, 9, now() - interval '2 hours', '{"sources": ["arxiv", "web"]}'),
  ('coder', 'paused', 0.58, 188, 31, now() - interval '1 day', '{}'),
  ('archivist', 'active', 0.5, 0, 0, NULL, '{"note": "nie \"gelöscht\""}'),
  ('übersetzerin', 'active', 0.72, 95, 2, now() - interval '5 hours', '{"languages": ["de", "日本語"]}');

INSERT INTO sessions (title, created_at, updated_at, is_protected, agent_id, metadata, message_count,
                      openclaw_session_key, openclaw_channel)
SELECT CASE WHEN n % 11 = 0 THEN NULL
            ELSE (ARRAY['Morgenrunde', 'Café plans — été', '夜の要約', 'Größe & "Quotes"', 'status review'])[1 + n % 5] || ' ' || n END,
       now() - (600 - n) * interval '2 hours', now() - (600 - n) * interval '1 hour', n % 50 = 0,
       (ARRAY['aria', 'researcher', 'coder', 'archivist', 'übersetzerin', NULL])[1 + n % 6],
       jsonb_build_object('n', n, 'tags', jsonb_build_array('α', 'β-' || n % 7)), 0,
       CASE WHEN n < 200 THEN 'claw:' || md5(n::text) END, CASE WHEN n < 200 THEN (ARRAY['telegram', 'cli'])[1 + n % 2] END
FROM generate_series(1, 400) n;

INSERT INTO messages (session_id, role, content, created_at, model, tokens_input, tokens_output, thinking_content,
                      tool_calls, metadata, openclaw_payload)
SELECT s.id, (ARRAY['user', 'assistant', 'system', 'tool'])[1 + n % 4],
       CASE WHEN n % 97 = 0 THEN E'two\nlines, a tab\t, a backslash \\ and ''quotes'''
            ELSE (ARRAY['please look at the logs', 'résumé of the day', 'Übung macht den Meister', '了解しました', 'the scheduler ran late'])[1 + n % 5]
                 || ' ' || md5(n::text) END,
       s.created_at + n * interval '7 seconds', CASE WHEN n % 4 = 1 THEN 'qwen3:32b' END,
       CASE WHEN n % 4 = 1 THEN 100 + n * 7 END, CASE WHEN n % 4 = 1 THEN 20 + n * 3 END,
       CASE WHEN n % 12 = 1 THEN 'hm … ' || md5('t' || n) END,
       CASE WHEN n % 4 = 3 THEN jsonb_build_array(jsonb_build_object('skill', 'search', 'args', jsonb_build_object('q', 'größe ' || n))) END,
       jsonb_build_object('turn', n), CASE WHEN s.openclaw_session_key IS NOT NULL THEN jsonb_build_object('raw', md5('o' || n)) END
FROM sessions s CROSS JOIN generate_series(1, 12) n;

UPDATE sessions s SET message_count = (SELECT count(*) FROM messages m WHERE m.session_id = s.id);

INSERT INTO scheduler_jobs (id, name, schedule, skill, method, enabled, priority, config)
SELECT 'job-' || n, (ARRAY['Herzschlag', 'nightly summary', 'memory tidy-up', 'découverte'])[1 + n % 4] || ' ' || n,
       n % 60 || ' */' || 1 + n % 6 || ' * * *', (ARRAY['heartbeat', 'summary', 'memory', 'search'])[1 + n % 4], 'run',
       n % 5 <> 0, (ARRAY['low', 'medium', 'high'])[1 + n % 3], jsonb_build_object('limit', n)
FROM generate_series(1, 16) n;

INSERT INTO scheduler_history (job_id, started_at, finished_at, duration_ms, status, result, error)
SELECT 'job-' || 1 + n % 16, now() - n * interval '11 minutes',
       CASE WHEN n % 40 <> 0 THEN now() - n * interval '11 minutes' + interval '2 seconds' END,
       CASE WHEN n % 40 <> 0 THEN 2000 END, CASE WHEN n % 40 = 0 THEN 'timeout' WHEN n % 17 = 0 THEN 'error' ELSE 'success' END,
       CASE WHEN n % 17 <> 0 THEN jsonb_build_object('ok', true, 'n', n) END, CASE WHEN n % 17 = 0 THEN 'Verbindung weg' END
FROM generate_series(1, 1500) n;

INSERT INTO pheromone_scores (agent_id, skill, score, decay)
SELECT agent_id, skill, random(), 0.95
FROM agent_state CROSS JOIN unnest(ARRAY['heartbeat', 'summary', 'memory', 'search', 'übersetzen']) AS skill;

COMMIT;
ANALYZE;
