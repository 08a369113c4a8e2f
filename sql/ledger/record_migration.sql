-- purpose: note that a file of sql/schema has been applied
-- grain: one row
-- reads: nothing
-- parameters: $version, $name
INSERT INTO schema_migrations BY NAME
SELECT $version AS version, $name AS name, now()::TIMESTAMP AS applied_at
