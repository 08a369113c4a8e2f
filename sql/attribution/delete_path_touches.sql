-- purpose: make room for the paths to be found anew, and drop those of conversions that are gone
-- grain: one touch of one conversion
-- reads: path_touches, stale_conversions, work_conversions, kept_paths
-- parameters: none
DELETE FROM path_touches
WHERE conversion_id IN (
    SELECT conversion_id FROM work_conversions
    UNION
    SELECT conversion_id FROM stale_conversions WHERE conversion_id IS NOT NULL
    EXCEPT
    SELECT conversion_id FROM kept_paths
)
