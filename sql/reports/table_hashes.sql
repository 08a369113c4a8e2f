-- purpose: whether two warehouses hold the same rows: equal hashes, equal tables in any order
-- grain: one table of the contract; ledgers of what happened (runs, restatements) are not among them. Log
--     days in another order may fit other models, so that credit_models and credits differ then
-- reads: activity, touchpoints, signals, signal_identifiers, refused_identifiers, costs, rejected_rows,
--     identity_rules, identity_links, signal_evidence, matches, match_conflicts, conversions,
--     conversion_signals, conversion_users, invalid_touches, invalid_users, holdout_conversions,
--     holdout_days, touch_rates, path_touches, credit_models, credits
-- parameters: none
WITH refused AS (
    -- the counts of a day may come in several batches
    SELECT day, table_name, kind, refusal, sum(row_count) AS row_count
    FROM refused_identifiers
    GROUP BY day, table_name, kind, refusal
),
fits AS (
    -- what came of a fit; its version is made of the body, which goes when it serves no more
    SELECT model, model_version, first_day, last_day, settings, status, histories, conversions
    FROM credit_models
),
hashes AS (
    SELECT 'activity' AS table_name, count(*) AS row_count, sum(hash(t)) AS row_hash FROM activity AS t
    UNION ALL
    SELECT 'touchpoints', count(*), sum(hash(t)) FROM touchpoints AS t
    UNION ALL
    SELECT 'signals', count(*), sum(hash(t)) FROM signals AS t
    UNION ALL
    SELECT 'signal_identifiers', count(*), sum(hash(t)) FROM signal_identifiers AS t
    UNION ALL
    SELECT 'refused_identifiers', count(*), sum(hash(t)) FROM refused AS t
    UNION ALL
    SELECT 'costs', count(*), sum(hash(t)) FROM costs AS t
    UNION ALL
    SELECT 'rejected_rows', count(*), sum(hash(t)) FROM rejected_rows AS t
    UNION ALL
    SELECT 'identity_rules', count(*), sum(hash(t)) FROM identity_rules AS t
    UNION ALL
    SELECT 'identity_links', count(*), sum(hash(t)) FROM identity_links AS t
    UNION ALL
    SELECT 'signal_evidence', count(*), sum(hash(t)) FROM signal_evidence AS t
    UNION ALL
    SELECT 'matches', count(*), sum(hash(t)) FROM matches AS t
    UNION ALL
    SELECT 'match_conflicts', count(*), sum(hash(t)) FROM match_conflicts AS t
    UNION ALL
    SELECT 'conversions', count(*), sum(hash(t)) FROM conversions AS t
    UNION ALL
    SELECT 'conversion_signals', count(*), sum(hash(t)) FROM conversion_signals AS t
    UNION ALL
    SELECT 'conversion_users', count(*), sum(hash(t)) FROM conversion_users AS t
    UNION ALL
    SELECT 'invalid_touches', count(*), sum(hash(t)) FROM invalid_touches AS t
    UNION ALL
    SELECT 'invalid_users', count(*), sum(hash(t)) FROM invalid_users AS t
    UNION ALL
    SELECT 'holdout_conversions', count(*), sum(hash(t)) FROM holdout_conversions AS t
    UNION ALL
    SELECT 'holdout_days', count(*), sum(hash(t)) FROM holdout_days AS t
    UNION ALL
    SELECT 'touch_rates', count(*), sum(hash(t)) FROM touch_rates AS t
    UNION ALL
    SELECT 'path_touches', count(*), sum(hash(t)) FROM path_touches AS t
    UNION ALL
    SELECT 'credit_models', count(*), sum(hash(t)) FROM fits AS t
    UNION ALL
    SELECT 'credits', count(*), sum(hash(t)) FROM credits AS t
)
SELECT table_name, row_count, coalesce(CAST(row_hash AS VARCHAR), '0') AS row_hash
FROM hashes
ORDER BY table_name
