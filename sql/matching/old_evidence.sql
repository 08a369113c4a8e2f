-- purpose: what was learned from the signals at work, and from signals that one log day had before
-- grain: one (signal_id, kind, digest)
-- makes: old_evidence
-- reads: signal_evidence, work_signals
-- parameters: $day
CREATE OR REPLACE TEMP TABLE old_evidence AS
SELECT day, signal_id, kind, digest, scope, user_id, event_time
FROM signal_evidence
WHERE day = $day OR signal_id IN (SELECT signal_id FROM work_signals)
