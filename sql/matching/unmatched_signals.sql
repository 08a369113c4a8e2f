-- purpose: the signals at work of one log day that no identifier gave a user, of nobody who was forgotten
-- grain: one signal
-- makes: chosen_signals
-- reads: signals, work_signals, matches
-- parameters: $day
CREATE OR REPLACE TEMP TABLE chosen_signals AS
SELECT signals.signal_id
FROM signals
JOIN work_signals ON work_signals.signal_id = signals.signal_id
LEFT JOIN matches ON matches.signal_id = signals.signal_id
WHERE signals.day = $day AND signals.is_bot IS DISTINCT FROM true AND matches.signal_id IS NULL
