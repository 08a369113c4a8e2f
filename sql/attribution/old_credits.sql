-- purpose: the credit that the conversions at work, and those that are gone, had before under some models,
--     or under all but these
-- grain: one credit row
-- makes: old_credits
-- reads: credits, work_conversions, stale_conversions
-- parameters: $models, $others (true: all but these)
CREATE OR REPLACE TEMP TABLE old_credits AS
WITH concerned AS (
    SELECT conversion_id FROM work_conversions
    UNION
    SELECT conversion_id FROM stale_conversions WHERE conversion_id IS NOT NULL
)
SELECT credits.*
FROM credits
JOIN concerned ON concerned.conversion_id = credits.conversion_id
WHERE list_contains($models, credits.model) <> $others
