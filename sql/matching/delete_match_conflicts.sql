-- purpose: make room for the match_conflicts of one log day and of the signals at work
-- grain: one stored row
-- reads: match_conflicts, work_signals
-- parameters: $day
DELETE FROM match_conflicts
WHERE day = $day OR signal_id IN (SELECT signal_id FROM work_signals)
