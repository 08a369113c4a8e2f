-- purpose: drop a property of the warehouse
-- grain: one row
-- reads: warehouse_settings
-- parameters: $name
DELETE FROM warehouse_settings
WHERE name = $name
