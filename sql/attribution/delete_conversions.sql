-- purpose: make room for the conversions of the affected orders
-- grain: one conversion
-- reads: conversions, stale_conversions
-- parameters: none
DELETE FROM conversions
WHERE conversion_id IN (
    SELECT conversion_id FROM stale_conversions WHERE conversion_id IS NOT NULL
)
