-- purpose: how many identifiers of each log can be used, and why the others were refused
-- grain: one table, advertiser (of signals only), kind and refusal; refusal is null for the usable ones
-- reads: activity, touchpoints, signals, signal_identifiers, refused_identifiers
-- parameters: none
WITH sent AS (
    -- a value has a digest under each platform's recipe, but is one value
    SELECT
        signals.advertiser_id,
        signal_identifiers.kind,
        signal_identifiers.signal_id,
        CASE WHEN count(signal_identifiers.digest) = 0 THEN min(signal_identifiers.refusal) END AS refusal
    FROM signal_identifiers
    JOIN signals ON signals.signal_id = signal_identifiers.signal_id
    GROUP BY signals.advertiser_id, signal_identifiers.kind, signal_identifiers.signal_id
),
counts AS (
    SELECT 'signals' AS table_name, advertiser_id, kind, refusal, count(*) AS row_count
    FROM sent
    GROUP BY advertiser_id, kind, refusal
    UNION ALL
    SELECT 'activity', NULL, 'email', NULL, count(email_digest) FROM activity
    UNION ALL
    SELECT 'activity', NULL, 'phone', NULL, count(phone_digest) FROM activity
    UNION ALL
    SELECT 'activity', NULL, 'device_id', NULL, count(device_digest) FROM activity
    UNION ALL
    SELECT 'activity', NULL, 'cookie_id', NULL, count(cookie_digest) FROM activity
    UNION ALL
    SELECT 'touchpoints', NULL, 'click_id', NULL, count(click_digest) FROM touchpoints
    UNION ALL
    SELECT table_name, NULL, kind, refusal, sum(row_count)
    FROM refused_identifiers
    GROUP BY table_name, kind, refusal
)
SELECT
    table_name,
    advertiser_id,
    kind,
    refusal,
    CAST(row_count AS BIGINT) AS row_count,
    round(row_count / sum(row_count) OVER (PARTITION BY table_name, advertiser_id, kind), 6) AS share,
    CAST(sum(row_count) OVER (PARTITION BY table_name, advertiser_id, kind) AS BIGINT) AS given,
    CASE WHEN refusal IS NULL THEN 'usable' ELSE 'refused' END AS outcome
FROM counts
WHERE row_count > 0
ORDER BY table_name, advertiser_id, kind, refusal NULLS FIRST
