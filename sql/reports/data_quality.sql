-- purpose: how many rows of each log were accepted, and how many broke which rule
-- grain: one table and rule; rule is null for the accepted rows
-- reads: activity, touchpoints, signals, costs, rejected_rows
-- parameters: none
WITH outcomes AS (
    SELECT 'activity' AS table_name, 'accepted' AS outcome, NULL AS rule, count(*) AS row_count FROM activity
    UNION ALL
    SELECT 'touchpoints', 'accepted', NULL, count(*) FROM touchpoints
    UNION ALL
    SELECT 'signals', 'accepted', NULL, count(*) FROM signals
    UNION ALL
    SELECT 'costs', 'accepted', NULL, count(*) FROM costs
    UNION ALL
    SELECT table_name, 'rejected', rule, count(*) FROM rejected_rows GROUP BY table_name, rule
)
SELECT
    table_name,
    outcome,
    rule,
    row_count,
    round(row_count / nullif(sum(row_count) OVER (PARTITION BY table_name), 0), 6) AS share
FROM outcomes
ORDER BY table_name, outcome, rule
