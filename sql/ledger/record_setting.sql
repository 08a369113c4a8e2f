-- purpose: set a property of the warehouse for the first time
-- grain: one row
-- reads: nothing
-- parameters: $name, $value
INSERT INTO warehouse_settings BY NAME
SELECT $name AS name, $value AS value
