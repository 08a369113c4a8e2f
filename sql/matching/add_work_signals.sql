-- purpose: add to the signals at work those whose customer id now speaks otherwise
-- grain: one signal
-- reads: signals, external_links, work_signals
-- parameters: none
INSERT INTO work_signals BY NAME
SELECT DISTINCT signals.signal_id
FROM signals
JOIN external_links ON external_links.digest = signals.external_digest
LEFT JOIN work_signals ON work_signals.signal_id = signals.signal_id
WHERE work_signals.signal_id IS NULL
