-- purpose: how many files of sql/schema a warehouse has been through
-- grain: one row
-- reads: schema_migrations
-- parameters: none
SELECT coalesce(max(version), 0) AS version
FROM schema_migrations
