-- purpose: delete what signals taught of one user
-- grain: one (signal_id, kind, digest)
-- reads: signal_evidence
-- parameters: $user_id
DELETE FROM signal_evidence
WHERE user_id = $user_id
