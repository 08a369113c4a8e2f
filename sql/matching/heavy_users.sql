-- purpose: users who on the log day of a signal have more identifiers of a kind than the rule lets
--     them
-- grain: one (day, kind, user_id, scope)
-- makes: heavy_users
-- reads: spoken_links, speaking_links
-- parameters: $learned (whether what signals taught counts)
CREATE OR REPLACE TEMP TABLE heavy_users AS
WITH holders AS (
    SELECT DISTINCT day, method AS kind, user_id, scope FROM spoken_links
)
SELECT holders.day, holders.kind, holders.user_id, holders.scope
FROM holders
JOIN speaking_links
    ON speaking_links.kind = holders.kind
    AND speaking_links.user_id = holders.user_id
    AND speaking_links.scope = holders.scope
WHERE holders.day BETWEEN speaking_links.speaks_from AND speaking_links.speaks_until
    AND (speaking_links.source <> 'signals' OR $learned)
GROUP BY
    holders.day, holders.kind, holders.user_id, holders.scope, speaking_links.most_identifiers
HAVING count(DISTINCT speaking_links.digest) > speaking_links.most_identifiers
