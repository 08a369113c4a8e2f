-- purpose: which tables a DuckDB file holds, to tell a warehouse from another file
-- grain: one table
-- reads: the catalogue
-- parameters: none
SELECT table_name
FROM duckdb_tables()
WHERE database_name = current_database() AND NOT internal
ORDER BY table_name
