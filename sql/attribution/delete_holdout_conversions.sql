-- purpose: make room for what the conversions whose paths were found anew tell of causes
-- grain: one (conversion_id, role, campaign_id, kind)
-- reads: holdout_conversions, work_conversions, stale_conversions, kept_paths
-- parameters: none
DELETE FROM holdout_conversions
WHERE conversion_id IN (
    SELECT conversion_id FROM work_conversions
    UNION
    SELECT conversion_id FROM stale_conversions WHERE conversion_id IS NOT NULL
    EXCEPT
    SELECT conversion_id FROM kept_paths
)
