-- purpose: store what the signals at work teach
-- grain: one (signal_id, kind, digest)
-- reads: new_evidence
-- parameters: none
INSERT INTO signal_evidence BY NAME
SELECT day, signal_id, kind, digest, scope, user_id, event_time
FROM new_evidence
ORDER BY day, signal_id, kind, digest
