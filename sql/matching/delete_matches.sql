-- purpose: make room for the matches of one log day and of the signals at work
-- grain: one stored row
-- reads: matches, work_signals
-- parameters: $day
DELETE FROM matches
WHERE day = $day OR signal_id IN (SELECT signal_id FROM work_signals)
