-- purpose: the advertisers' customer ids concerned, and the users that other identifiers gave them
-- grain: one (digest, user_id)
-- makes: external_links
-- reads: work_signals, signals, winners, matches, identity_links
-- parameters: $day
CREATE OR REPLACE TEMP TABLE external_links AS
WITH concerned AS (
    SELECT signals.external_digest AS digest
    FROM signals
    JOIN work_signals ON work_signals.signal_id = signals.signal_id
    WHERE signals.external_digest IS NOT NULL
    UNION
    SELECT digest
    FROM identity_links
    WHERE kind = 'external_id' AND first_day = $day
    UNION
    -- a signal that stood on a later log day until this one held it too: it may have borne another
    SELECT identity_links.digest
    FROM signals
    JOIN work_signals ON work_signals.signal_id = signals.signal_id
    JOIN matches ON matches.signal_id = signals.signal_id AND matches.day <> signals.day
    JOIN identity_links
        ON identity_links.kind = 'external_id'
        AND identity_links.first_day = matches.day
),
bearers AS (
    SELECT signals.day, signals.signal_id, signals.external_digest AS digest
    FROM signals
    JOIN concerned ON concerned.digest = signals.external_digest
),
direct AS (
    SELECT signal_id, user_id FROM winners WHERE method <> 'external_id'
    UNION ALL
    SELECT matches.signal_id, matches.user_id
    FROM matches
    LEFT JOIN work_signals ON work_signals.signal_id = matches.signal_id
    WHERE matches.method NOT IN ('external_id', 'model')
        AND matches.day <> $day
        AND work_signals.signal_id IS NULL
),
found AS (
    SELECT bearers.digest, direct.user_id, min(bearers.day) AS first_day
    FROM bearers
    JOIN direct ON direct.signal_id = bearers.signal_id
    GROUP BY bearers.digest, direct.user_id
),
known AS (
    SELECT identity_links.digest, identity_links.user_id, identity_links.first_day
    FROM identity_links
    JOIN concerned ON concerned.digest = identity_links.digest
    WHERE identity_links.kind = 'external_id'
)
SELECT
    coalesce(found.digest, known.digest) AS digest,
    coalesce(found.user_id, known.user_id) AS user_id,
    found.first_day AS first_day,
    known.first_day AS known_first_day
FROM found
FULL JOIN known ON known.digest = found.digest AND known.user_id = found.user_id
WHERE found.first_day IS DISTINCT FROM known.first_day
