-- purpose: the links of activity and touchpoints that change, as they were and as they will be
-- grain: one (kind, digest, user_id, source); first_day is null where a link is lost
-- makes: changed_links
-- reads: seen_links, identity_links, replaced_identifiers
-- parameters: none
CREATE OR REPLACE TEMP TABLE changed_links AS
WITH replaced AS (
    SELECT DISTINCT kind, digest FROM replaced_identifiers
),
lost AS (
    SELECT known.kind, known.digest, known.user_id, known.source
    FROM identity_links AS known
    JOIN replaced ON replaced.kind = known.kind AND replaced.digest = known.digest
    LEFT JOIN seen_links
        ON seen_links.kind = known.kind
        AND seen_links.digest = known.digest
        AND seen_links.user_id = known.user_id
        AND seen_links.source = known.source
    WHERE known.source <> 'signals' AND seen_links.digest IS NULL
),
touched AS (
    SELECT kind, digest, user_id, source, anew, first_day, last_day, observations
    FROM seen_links
    UNION ALL
    SELECT
        kind,
        digest,
        user_id,
        source,
        true AS anew,
        CAST(NULL AS DATE) AS first_day,
        CAST(NULL AS DATE) AS last_day,
        CAST(NULL AS BIGINT) AS observations
    FROM lost
)
SELECT
    touched.kind,
    touched.digest,
    touched.user_id,
    touched.source,
    '' AS scope,
    known.first_day AS known_first_day,
    known.last_day AS known_last_day,
    CASE
        WHEN touched.anew OR known.first_day IS NULL THEN touched.first_day
        ELSE least(touched.first_day, known.first_day)
    END AS first_day,
    CASE
        WHEN touched.anew OR known.last_day IS NULL THEN touched.last_day
        ELSE greatest(touched.last_day, known.last_day)
    END AS last_day,
    CASE
        WHEN touched.anew OR known.observations IS NULL THEN touched.observations
        ELSE touched.observations + known.observations
    END AS observations
FROM touched
LEFT JOIN identity_links AS known
    ON known.kind = touched.kind
    AND known.digest = touched.digest
    AND known.user_id = touched.user_id
    AND known.source = touched.source
