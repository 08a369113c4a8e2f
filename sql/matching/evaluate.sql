-- purpose: matches beside the truth
-- grain: one signal that is both stored and in the truth, and of nobody who was forgotten
-- reads: signals, matches, match_conflicts, match_thresholds, shared_addresses, truth
-- parameters: none
WITH best AS (
    SELECT signal_id, user_id, method, match_probability, declared, model_version
    FROM matches
    WHERE rank = 1
),
kept AS (
    SELECT signal_id, sum(match_probability) AS match_probability FROM matches GROUP BY signal_id
),
conflicting AS (
    SELECT DISTINCT signal_id FROM match_conflicts
),
modelled AS (
    SELECT DISTINCT day FROM match_thresholds
)
SELECT
    truth.signal_id,
    signals.advertiser_id,
    truth.user_id IS NOT NULL AS of_user,
    coalesce(best.method, 'model') <> 'model' OR conflicting.signal_id IS NOT NULL AS identified,
    best.method,
    best.match_probability,
    coalesce(best.declared, false) AS declared,
    coalesce(best.user_id = truth.user_id, false) AS correct,
    -- found by no identifier, but compared with users: with candidates worth keeping or without
    modelled.day IS NOT NULL
        AND coalesce(best.method, 'model') = 'model'
        AND signals.is_bot IS DISTINCT FROM true AS judged,
    coalesce(kept.match_probability, 0) AS kept_probability,
    shared_addresses.day IS NOT NULL AS shared_address,
    signals.address_digest IS NOT NULL AS has_address,
    signals.user_agent IS NOT NULL AS has_user_agent,
    signals.screen IS NOT NULL AS has_screen,
    signals.city IS NOT NULL AS has_city,
    signals.language IS NOT NULL AS has_language,
    signals.timezone IS NOT NULL AS has_timezone
FROM truth
JOIN signals ON signals.signal_id = truth.signal_id
LEFT JOIN best ON best.signal_id = truth.signal_id
LEFT JOIN kept ON kept.signal_id = truth.signal_id
LEFT JOIN conflicting ON conflicting.signal_id = truth.signal_id
LEFT JOIN modelled ON modelled.day = signals.day
LEFT JOIN shared_addresses
    ON shared_addresses.day = signals.day AND shared_addresses.address_digest = signals.address_digest
WHERE best.model_version IS DISTINCT FROM 'forgotten'
ORDER BY truth.signal_id
