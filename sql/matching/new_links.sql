-- purpose: the links of one log day that were not known by its end before
-- grain: one (kind, digest, user_id)
-- makes: new_links
-- reads: day_links, identity_links
-- parameters: $day
CREATE OR REPLACE TEMP TABLE new_links AS
SELECT day_links.kind, day_links.digest, day_links.user_id, $day AS first_day
FROM day_links
LEFT JOIN identity_links
    ON identity_links.kind = day_links.kind
    AND identity_links.digest = day_links.digest
    AND identity_links.user_id = day_links.user_id
    AND identity_links.first_day <= $day
WHERE identity_links.user_id IS NULL
