-- purpose: the credit that the conversions at work, and those that are gone, had before under the
--     models of one group: calibrated_last_touch, or all others
-- grain: one credit row
-- makes: old_credits
-- reads: credits, work_conversions, stale_conversions
-- parameters: $calibrated
CREATE OR REPLACE TEMP TABLE old_credits AS
WITH concerned AS (
    SELECT conversion_id FROM work_conversions
    UNION
    SELECT conversion_id FROM stale_conversions WHERE conversion_id IS NOT NULL
)
SELECT credits.*
FROM credits
JOIN concerned ON concerned.conversion_id = credits.conversion_id
WHERE (credits.model = 'calibrated_last_touch') = $calibrated
