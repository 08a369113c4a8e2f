-- purpose: the conversions at work whose path stays as it was stored: only their value was adjusted
-- grain: one conversion
-- makes: kept_paths
-- reads: work_conversions, stale_paths, conversion_signals, touched_signals, reached_conversions
-- parameters: none
CREATE OR REPLACE TEMP TABLE kept_paths AS
WITH moved AS (
    SELECT conversion_signals.conversion_id
    FROM conversion_signals
    JOIN touched_signals ON touched_signals.signal_id = conversion_signals.signal_id
    WHERE conversion_signals.role IN ('first', 'repeat')
    UNION
    SELECT conversion_id FROM reached_conversions
)
SELECT work_conversions.conversion_id
FROM work_conversions
JOIN stale_paths
    ON stale_paths.conversion_id = work_conversions.conversion_id
    AND stale_paths.advertiser_id = work_conversions.advertiser_id
    AND stale_paths.time_us = work_conversions.time_us
    AND stale_paths.user_id IS NOT DISTINCT FROM work_conversions.user_id
LEFT JOIN moved ON moved.conversion_id = work_conversions.conversion_id
WHERE moved.conversion_id IS NULL
