-- purpose: the conversions at work whose path is to be found anew
-- grain: one conversion
-- makes: sought_paths
-- reads: work_conversions, kept_paths
-- parameters: none
CREATE OR REPLACE TEMP TABLE sought_paths AS
SELECT work_conversions.*
FROM work_conversions
LEFT JOIN kept_paths ON kept_paths.conversion_id = work_conversions.conversion_id
WHERE kept_paths.conversion_id IS NULL AND work_conversions.user_id IS NOT NULL
