-- purpose: make room for the matches of one log day and of the signals at work; who was forgotten
--     keeps a match that names nobody, so that credit stays, until the log is read again
-- grain: one stored row
-- reads: matches, work_signals, signal_identifiers, signals
-- parameters: $day
DELETE FROM matches
WHERE (day = $day OR signal_id IN (SELECT signal_id FROM work_signals))
    AND (
        model_version <> 'forgotten'
        OR signal_id IN (SELECT signal_id FROM signal_identifiers)
        OR signal_id NOT IN (SELECT signal_id FROM signals)
    )
