-- purpose: by which kinds of key candidates were found, and what was left out as too crowded, over all
--     log days that a model has matched
-- grain: one kind of key
-- reads: blocking_days
-- parameters: none
SELECT
    kind,
    count(*) AS days,
    CAST(sum(keys) AS BIGINT) AS keys,
    CAST(sum(keys_used) AS BIGINT) AS keys_used,
    CAST(sum(keys_dropped) AS BIGINT) AS keys_dropped,
    round(sum(keys_dropped) / nullif(sum(keys), 0), 4) AS share_dropped,
    CAST(sum(users_dropped) AS BIGINT) AS users_dropped,
    round(sum(users_dropped) / nullif(sum(sum(users_dropped)) OVER (), 0), 4) AS share_of_users_dropped
FROM blocking_days
GROUP BY kind
ORDER BY kind
