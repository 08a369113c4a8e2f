-- purpose: whether a match is as probable as was said: predicted over observed right matches, from
--     evidence that the match did not have. Method model: the e-mail or phone of persons held out of
--     its training. An identifier: a click id or device id of the same signal, of another kind, that
--     just one user showed in the logs; a lesson of a signal with that click or device proves nothing.
--     How many identifiers a user has is not looked at. low and high: 95%, by Wilson's interval of
--     observed over signals, as if no two signals were of one person; high is open without observed
-- grain: one method and model_version (of method model), of all, of one log day (null: all days) or of
--     one advertiser, (all) standing for all of them
-- reads: signal_identifiers, speaking_links, signal_evidence, signals, held_out_signals
-- parameters: none
WITH carried AS (
    SELECT day, signal_id, kind, digest
    FROM signal_identifiers
    WHERE digest IS NOT NULL
),
proofs AS (
    SELECT
        signal_id,
        CAST(max(digest) FILTER (WHERE kind = 'click_id') AS VARCHAR) AS click,
        CAST(max(digest) FILTER (WHERE kind = 'device_id') AS VARCHAR) AS device
    FROM carried
    WHERE kind IN ('click_id', 'device_id')
    GROUP BY signal_id
),
spoken AS (
    SELECT
        carried.day,
        carried.signal_id,
        carried.kind,
        carried.digest,
        speaking_links.user_id,
        speaking_links.source = 'signals' AS learned,
        coalesce(proofs.click, 'not carried') AS click,
        coalesce(proofs.device, 'not carried') AS device
    FROM carried
    JOIN proofs ON proofs.signal_id = carried.signal_id
    JOIN speaking_links
        ON speaking_links.kind = carried.kind AND speaking_links.digest = carried.digest
    WHERE carried.day BETWEEN speaking_links.speaks_from AND speaking_links.speaks_until
),
lessons AS (
    SELECT DISTINCT
        signal_evidence.kind,
        signal_evidence.digest,
        signal_evidence.user_id,
        coalesce(proofs.click, 'not there') AS click,
        coalesce(proofs.device, 'not there') AS device
    FROM signal_evidence
    LEFT JOIN proofs ON proofs.signal_id = signal_evidence.signal_id
),
independent AS (
    -- without what was taught by a signal of the same click or device: it would agree with itself
    SELECT day, signal_id, kind, user_id
    FROM spoken
    WHERE NOT learned
    UNION
    SELECT spoken.day, spoken.signal_id, spoken.kind, spoken.user_id
    FROM spoken
    SEMI JOIN lessons
        ON lessons.kind = spoken.kind
        AND lessons.digest = spoken.digest
        AND lessons.user_id = spoken.user_id
        AND lessons.click <> spoken.click
        AND (lessons.device <> spoken.device OR spoken.kind = 'device_id')
    WHERE spoken.learned
),
named AS (
    -- a value has a digest under each platform's recipe, but is one value of one signal
    SELECT day, signal_id, kind AS method, min(user_id) AS user_id
    FROM independent
    GROUP BY day, signal_id, kind
    HAVING count(DISTINCT user_id) = 1
),
shown AS (
    SELECT signal_id, kind, min(user_id) AS user_id
    FROM spoken
    WHERE kind IN ('click_id', 'device_id') AND NOT learned
    GROUP BY signal_id, kind
    HAVING count(DISTINCT user_id) = 1
),
proven AS (
    SELECT
        named.day,
        named.signal_id,
        named.method,
        named.user_id,
        min(shown.user_id) AS true_user_id
    FROM named
    JOIN shown ON shown.signal_id = named.signal_id AND shown.kind <> named.method
    GROUP BY named.day, named.signal_id, named.method, named.user_id
    HAVING count(DISTINCT shown.user_id) = 1
),
judged AS (
    SELECT
        proven.method,
        CAST(NULL AS VARCHAR) AS model_version,
        proven.day,
        signals.advertiser_id,
        CAST(1 AS DOUBLE) AS expected,
        proven.user_id = proven.true_user_id AS same
    FROM proven
    JOIN signals ON signals.signal_id = proven.signal_id
    UNION ALL
    SELECT 'model' AS method, model_version, day, advertiser_id, expected, same
    FROM held_out_signals
    WHERE match_probability > 0
),
sums AS (
    SELECT
        method,
        model_version,
        day AS log_day,
        coalesce(advertiser_id, '(all)') AS advertiser_id,
        count(*) AS signals,
        sum(expected) AS predicted,
        count(*) FILTER (WHERE same) AS observed
    FROM judged
    GROUP BY GROUPING SETS (
        (method, model_version), (method, model_version, day), (method, model_version, advertiser_id)
    )
),
wilson AS (
    -- middle and reach of the interval of the rate, times signals + 1.96²
    SELECT
        *,
        pow(1.959963984540054, 2) AS squared,
        observed + squared / 2 AS middle,
        sqrt(squared * (observed * (signals - observed) / signals + squared / 4)) AS reach
    FROM sums
)
SELECT
    method,
    model_version,
    log_day,
    advertiser_id,
    round(predicted / nullif(observed, 0), 4) AS ratio,
    round(predicted * (signals + squared) / signals / (middle + reach), 4) AS low,
    CASE
        WHEN observed > 0 THEN round(predicted * (signals + squared) / signals / (middle - reach), 4)
    END AS high,
    signals,
    round(predicted, 2) AS predicted,
    observed
FROM wilson
ORDER BY log_day NULLS FIRST, advertiser_id, method, model_version
