-- purpose: what the logs say of the identifiers that are not linked yet, or whose rows were replaced
-- grain: one (kind, digest, user_id, source)
-- makes: seen_links
-- reads: identifiers_seen, unlinked_days, replaced_identifiers
-- parameters: none
CREATE OR REPLACE TEMP TABLE seen_links AS
WITH replaced AS (
    SELECT DISTINCT kind, digest FROM replaced_identifiers
),
fresh AS (
    SELECT seen.kind, seen.digest, seen.user_id, seen.source, seen.day
    FROM identifiers_seen AS seen
    JOIN unlinked_days ON unlinked_days.day = seen.day AND unlinked_days.source = seen.source
    LEFT JOIN replaced ON replaced.kind = seen.kind AND replaced.digest = seen.digest
    WHERE replaced.digest IS NULL
),
counted_anew AS (
    SELECT seen.kind, seen.digest, seen.user_id, seen.source, seen.day
    FROM identifiers_seen AS seen
    JOIN replaced ON replaced.kind = seen.kind AND replaced.digest = seen.digest
),
observations AS (
    SELECT kind, digest, user_id, source, day, false AS anew FROM fresh
    UNION ALL
    SELECT kind, digest, user_id, source, day, true AS anew FROM counted_anew
)
SELECT
    kind,
    digest,
    user_id,
    source,
    anew,
    min(day) AS first_day,
    max(day) AS last_day,
    count(*) AS observations
FROM observations
GROUP BY kind, digest, user_id, source, anew
