-- purpose: the signals of one log day by which blocking is judged: those that a model has to match, and
--     where contacts are the truth also those of known contacts
-- grain: one signal
-- makes: judged_signals
-- reads: signals, matches, truth
-- parameters: $day, $by_contact
CREATE OR REPLACE TEMP TABLE judged_signals AS
WITH settled AS (
    SELECT DISTINCT signal_id FROM matches WHERE method <> 'model' OR model_version = 'forgotten'
)
SELECT
    signals.signal_id,
    truth.user_id AS true_user,
    settled.signal_id IS NULL AS unmatched
FROM signals
LEFT JOIN settled ON settled.signal_id = signals.signal_id
LEFT JOIN truth ON truth.signal_id = signals.signal_id
WHERE signals.day = $day
    AND signals.is_bot IS DISTINCT FROM true
    AND (settled.signal_id IS NULL OR ($by_contact AND truth.user_id IS NOT NULL))
