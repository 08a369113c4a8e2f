-- purpose: later days whose refused signals repeat none any more, since an earlier day was read again
-- grain: one log day
-- reads: rejected_rows, signals
-- parameters: $days
WITH refused AS (
    SELECT DISTINCT day, json_extract_string(content, '$.signal_id') AS signal_id
    FROM rejected_rows
    WHERE table_name = 'signals' AND rule = 'signal_id.repeated' AND day > list_min($days)
        AND NOT array_contains($days, day)
)
SELECT DISTINCT refused.day
FROM refused
LEFT JOIN signals ON signals.signal_id = refused.signal_id
WHERE signals.signal_id IS NULL
    AND refused.signal_id IS NOT NULL -- null: emptied, since a person was forgotten
ORDER BY refused.day
