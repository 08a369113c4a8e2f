-- purpose: the users whose links speak for the values that signals carry, on the signals' log days;
--     each value once a day, however many signals carry it
-- grain: one (day, method, digests, user_id)
-- makes: spoken_values
-- reads: carried_values, identity_links, identity_rules
-- parameters: $learned (whether what signals taught counts)
CREATE OR REPLACE TEMP TABLE spoken_values AS
WITH carried AS (
    SELECT DISTINCT day, method, digests FROM carried_values
),
single AS (
    SELECT day, method, digests, unnest(digests) AS digest FROM carried
)
SELECT DISTINCT
    single.day,
    single.method,
    single.digests,
    identity_links.user_id,
    identity_links.scope
FROM single
JOIN identity_links
    ON identity_links.kind = single.method
    AND identity_links.digest = single.digest
JOIN identity_rules ON identity_rules.kind = single.method
WHERE single.day BETWEEN
        identity_links.first_day - identity_rules.ttl_days
        AND identity_links.last_day + identity_rules.ttl_days
    AND (identity_links.source <> 'signals' OR $learned)
