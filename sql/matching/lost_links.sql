-- purpose: the links that one log day had given first and, read again, no longer gives
-- grain: one (kind, digest, user_id)
-- makes: lost_links
-- reads: identity_links, day_links
-- parameters: $day
CREATE OR REPLACE TEMP TABLE lost_links AS
SELECT identity_links.kind, identity_links.digest, identity_links.user_id
FROM identity_links
LEFT JOIN day_links
    ON day_links.kind = identity_links.kind
    AND day_links.digest = identity_links.digest
    AND day_links.user_id = identity_links.user_id
WHERE identity_links.first_day = $day
    AND identity_links.kind <> 'external_id'
    AND day_links.user_id IS NULL
