-- purpose: users who on the log day of a signal have more identifiers of a kind than the rule lets
--     them
-- grain: one (day, kind, user_id, scope)
-- makes: heavy_users
-- reads: spoken_links, identity_links, identity_rules
-- parameters: $learned (whether what signals taught counts)
CREATE OR REPLACE TEMP TABLE heavy_users AS
WITH holders AS (
    SELECT DISTINCT day, method AS kind, user_id, scope FROM spoken_links
),
suspects AS (
    SELECT identity_links.kind, identity_links.user_id, identity_links.scope
    FROM identity_links
    JOIN (SELECT DISTINCT kind, user_id, scope FROM holders) AS known
        ON known.kind = identity_links.kind
        AND known.user_id = identity_links.user_id
        AND known.scope = identity_links.scope
    JOIN identity_rules ON identity_rules.kind = identity_links.kind
    WHERE identity_links.source <> 'signals' OR $learned
    GROUP BY identity_links.kind, identity_links.user_id, identity_links.scope
    HAVING count(DISTINCT identity_links.digest) > any_value(identity_rules.most_identifiers)
)
SELECT holders.day, holders.kind, holders.user_id, holders.scope
FROM holders
JOIN suspects
    ON suspects.kind = holders.kind
    AND suspects.user_id = holders.user_id
    AND suspects.scope = holders.scope
JOIN identity_links
    ON identity_links.kind = holders.kind
    AND identity_links.user_id = holders.user_id
    AND identity_links.scope = holders.scope
JOIN identity_rules ON identity_rules.kind = holders.kind
WHERE holders.day BETWEEN
        identity_links.first_day - identity_rules.ttl_days
        AND identity_links.last_day + identity_rules.ttl_days
    AND (identity_links.source <> 'signals' OR $learned)
GROUP BY holders.day, holders.kind, holders.user_id, holders.scope
HAVING count(DISTINCT identity_links.digest) > any_value(identity_rules.most_identifiers)
