-- purpose: change a property of the warehouse
-- grain: one row
-- reads: warehouse_settings
-- parameters: $name, $value
UPDATE warehouse_settings
SET value = $value
WHERE name = $name
