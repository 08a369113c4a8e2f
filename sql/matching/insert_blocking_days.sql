-- purpose: count the keys by which the signals of one log day found candidates, and those left out
-- grain: one log day and kind of key
-- reads: blocking_keys
-- parameters: $day
INSERT INTO blocking_days BY NAME
SELECT
    $day AS day,
    kind,
    count(*) AS keys,
    count(*) FILTER (WHERE used) AS keys_used,
    count(*) FILTER (WHERE NOT used) AS keys_dropped,
    coalesce(sum(users) FILTER (WHERE NOT used), 0) AS users_dropped
FROM blocking_keys
GROUP BY kind
ORDER BY kind
