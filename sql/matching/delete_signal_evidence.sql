-- purpose: make room for the evidence of one log day and of the signals at work
-- grain: one (signal_id, kind, digest)
-- reads: signal_evidence, work_signals
-- parameters: $day
DELETE FROM signal_evidence
WHERE day = $day OR signal_id IN (SELECT signal_id FROM work_signals)
