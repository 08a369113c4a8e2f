-- purpose: one part of the sets, each token with its weight; one that no user showed
--     weighs as much as the tokens of its kind do on the average
-- grain: one signal, or one user and distinct observation; weight 0 where there is no token
-- reads: band_sets, token_weights
-- parameters: $users, $parts, $part
WITH means AS (
    SELECT kind, CAST(round(avg(weight)) AS INTEGER) AS weight FROM token_weights GROUP BY kind
),
typical AS (
    SELECT
        coalesce(max(CASE WHEN kind = 'address' THEN weight END), 1) AS address,
        coalesce(max(CASE WHEN kind = 'network' THEN weight END), 1) AS network,
        coalesce(max(CASE WHEN kind = 'device' THEN weight END), 1) AS device,
        coalesce(max(CASE WHEN kind = 'device_place' THEN weight END), 1) AS device_place,
        coalesce(max(CASE WHEN kind = 'screen' THEN weight END), 1) AS screen,
        coalesce(max(CASE WHEN kind = 'place' THEN weight END), 1) AS place,
        coalesce(max(CASE WHEN kind = 'language' THEN weight END), 1) AS language,
        coalesce(max(CASE WHEN kind = 'timezone' THEN weight END), 1) AS timezone
    FROM means
)
SELECT
    band_sets.*,
    CASE WHEN band_sets.address IS NULL THEN 0 ELSE coalesce(a.weight, typical.address) END AS address_weight,
    CASE WHEN band_sets.network IS NULL THEN 0 ELSE coalesce(n.weight, typical.network) END AS network_weight,
    CASE WHEN band_sets.device IS NULL THEN 0 ELSE coalesce(d.weight, typical.device) END AS device_weight,
    CASE WHEN band_sets.device_place IS NULL THEN 0 ELSE coalesce(b.weight, typical.device_place) END
        AS device_place_weight,
    CASE WHEN band_sets.screen IS NULL THEN 0 ELSE coalesce(s.weight, typical.screen) END AS screen_weight,
    CASE WHEN band_sets.place IS NULL THEN 0 ELSE coalesce(p.weight, typical.place) END AS place_weight,
    CASE WHEN band_sets.language IS NULL THEN 0 ELSE coalesce(l.weight, typical.language) END
        AS language_weight,
    CASE WHEN band_sets.timezone IS NULL THEN 0 ELSE coalesce(t.weight, typical.timezone) END
        AS timezone_weight
FROM band_sets
CROSS JOIN typical
LEFT JOIN token_weights AS a ON a.kind = 'address' AND a.token = band_sets.address
LEFT JOIN token_weights AS n ON n.kind = 'network' AND n.token = band_sets.network
LEFT JOIN token_weights AS d ON d.kind = 'device' AND d.token = band_sets.device
LEFT JOIN token_weights AS b ON b.kind = 'device_place' AND b.token = band_sets.device_place
LEFT JOIN token_weights AS s ON s.kind = 'screen' AND s.token = band_sets.screen
LEFT JOIN token_weights AS p ON p.kind = 'place' AND p.token = band_sets.place
LEFT JOIN token_weights AS l ON l.kind = 'language' AND l.token = band_sets.language
LEFT JOIN token_weights AS t ON t.kind = 'timezone' AND t.token = band_sets.timezone
WHERE hash(coalesce(band_sets.user_id, band_sets.signal_id)) % $parts = $part
    AND (band_sets.signal_id IS NULL) = $users
