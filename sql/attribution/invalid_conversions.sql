-- purpose: the conversions at work whose first signal no person sent: all their credit is rejected
-- grain: one conversion
-- makes: invalid_conversions
-- reads: work_conversions, conversion_signals, signals
-- parameters: $bots (false: bots are taken for persons; data centres are not)
CREATE OR REPLACE TEMP TABLE invalid_conversions AS
WITH invalid_signals AS (
    SELECT signal_id, CASE WHEN $bots AND is_bot THEN 'bot' ELSE 'data_centre' END AS reason
    FROM signals
    WHERE ($bots AND is_bot) OR network_scope = 'data_centre'
),
at_work AS (
    SELECT DISTINCT conversion_id FROM work_conversions
)
SELECT at_work.conversion_id, invalid_signals.reason
FROM at_work
JOIN conversion_signals
    ON conversion_signals.conversion_id = at_work.conversion_id
    AND conversion_signals.role = 'first'
JOIN invalid_signals ON invalid_signals.signal_id = conversion_signals.signal_id
