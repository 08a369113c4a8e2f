-- purpose: how many signals of log days that were read again are stored no more
-- grain: one row
-- reads: former_signals, signals
-- parameters: none
SELECT count(*) AS row_count
FROM former_signals
LEFT JOIN signals ON signals.signal_id = former_signals.signal_id
WHERE signals.signal_id IS NULL
