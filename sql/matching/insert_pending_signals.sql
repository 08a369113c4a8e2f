-- purpose: hand the signals at work over to attribution
-- grain: one signal
-- reads: work_signals, signals
-- parameters: none
INSERT INTO pending_signals BY NAME
SELECT signals.day, signals.signal_id
FROM signals
JOIN work_signals ON work_signals.signal_id = signals.signal_id
