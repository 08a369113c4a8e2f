-- purpose: the links learned from signals that change, as they were and as they will be; a unique
--     identifier stays with whom it was first learned to be
-- grain: one (kind, digest, user_id, source); first_day is null where a link is lost
-- makes: changed_links
-- reads: old_evidence, new_evidence, signal_evidence, identity_links, identity_rules
-- parameters: none
CREATE OR REPLACE TEMP TABLE changed_links AS
WITH concerned AS (
    SELECT kind, digest, scope FROM old_evidence
    UNION
    SELECT kind, digest, scope FROM new_evidence
),
claims AS (
    SELECT
        signal_evidence.kind,
        signal_evidence.digest,
        signal_evidence.user_id,
        signal_evidence.scope,
        min(signal_evidence.day) AS first_day,
        max(signal_evidence.day) AS last_day,
        min(signal_evidence.event_time) AS first_time,
        min(signal_evidence.signal_id) AS first_signal,
        count(*) AS observations
    FROM signal_evidence
    JOIN concerned
        ON concerned.kind = signal_evidence.kind
        AND concerned.digest = signal_evidence.digest
        AND concerned.scope = signal_evidence.scope
    GROUP BY
        signal_evidence.kind, signal_evidence.digest, signal_evidence.user_id, signal_evidence.scope
),
ranked AS (
    SELECT
        claims.*,
        coalesce(identity_rules.is_unique, false) AS is_unique,
        row_number() OVER (
            PARTITION BY claims.kind, claims.digest, claims.scope
            ORDER BY claims.first_day, claims.first_time, claims.first_signal, claims.user_id
        ) AS place
    FROM claims
    LEFT JOIN identity_rules ON identity_rules.kind = claims.kind
),
taught AS (
    SELECT kind, digest, user_id, scope, first_day, last_day, observations
    FROM ranked
    WHERE NOT is_unique OR place = 1
),
known AS (
    SELECT identity_links.*
    FROM identity_links
    JOIN concerned
        ON concerned.kind = identity_links.kind
        AND concerned.digest = identity_links.digest
        AND concerned.scope = identity_links.scope
    WHERE identity_links.source = 'signals'
)
SELECT
    coalesce(taught.kind, known.kind) AS kind,
    coalesce(taught.digest, known.digest) AS digest,
    coalesce(taught.user_id, known.user_id) AS user_id,
    'signals' AS source,
    coalesce(taught.scope, known.scope) AS scope,
    known.first_day AS known_first_day,
    known.last_day AS known_last_day,
    taught.first_day,
    taught.last_day,
    taught.observations
FROM taught
FULL JOIN known
    ON known.kind = taught.kind
    AND known.digest = taught.digest
    AND known.user_id = taught.user_id
    AND known.scope = taught.scope
WHERE taught.first_day IS DISTINCT FROM known.first_day
    OR taught.last_day IS DISTINCT FROM known.last_day
    OR taught.observations IS DISTINCT FROM known.observations
