-- purpose: the log days of the signals at work that no identifier gave a user
-- grain: one log day
-- reads: signals, work_signals, matches
-- parameters: none
SELECT DISTINCT signals.day
FROM signals
JOIN work_signals ON work_signals.signal_id = signals.signal_id
LEFT JOIN matches ON matches.signal_id = signals.signal_id
WHERE signals.is_bot IS DISTINCT FROM true AND matches.signal_id IS NULL
ORDER BY signals.day
