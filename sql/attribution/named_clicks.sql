-- purpose: the clicks that the signals of the conversions at work name by a click_id
-- grain: one (conversion_id, click_digest)
-- makes: named_clicks
-- reads: work_conversions, conversion_signals, signal_identifiers
-- parameters: none
CREATE OR REPLACE TEMP TABLE named_clicks AS
SELECT DISTINCT conversion_signals.conversion_id, signal_identifiers.digest AS click_digest
FROM conversion_signals
JOIN work_conversions ON work_conversions.conversion_id = conversion_signals.conversion_id
JOIN signal_identifiers
    ON signal_identifiers.signal_id = conversion_signals.signal_id
    AND signal_identifiers.kind = 'click_id'
WHERE conversion_signals.role IN ('first', 'repeat') AND signal_identifiers.digest IS NOT NULL
