-- purpose: one property of the warehouse
-- grain: one row, or none where it was never set
-- reads: warehouse_settings
-- parameters: $name
SELECT value
FROM warehouse_settings
WHERE name = $name
