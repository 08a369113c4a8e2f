-- purpose: store the credit and value of the conversions at work under one model, in whole millionths
-- grain: one credit row; per conversion the credit is 1,000,000 and the value the conversion's
-- reads: work_conversions, paths, path_weights, invalid_conversions
-- parameters: $model, $rules_version, $model_version (null: the model is none that is fitted)
INSERT INTO credits BY NAME
WITH totals AS (
    SELECT conversion_id, user_id, CAST(sum(weight) AS BIGINT) AS weights, count(*) AS touches
    FROM path_weights
    GROUP BY conversion_id, user_id
),
weighed AS (
    -- a path that the model gives no weight earns for organic, or is rejected
    SELECT
        paths.conversion_id,
        CASE WHEN path_weights.touch_id IS NOT NULL THEN 'touch' ELSE paths.outcome END AS outcome,
        CASE WHEN path_weights.touch_id IS NULL THEN paths.reason END AS reason,
        paths.user_id,
        path_weights.touch_id,
        path_weights.campaign_id,
        path_weights.touch_time,
        paths.user_micros,
        coalesce(path_weights.weight, 1) AS weight,
        coalesce(totals.weights, 1) AS weights,
        coalesce(totals.touches, 1) AS touches
    FROM paths
    LEFT JOIN path_weights
        ON path_weights.conversion_id = paths.conversion_id
        AND path_weights.user_id = paths.user_id
    LEFT JOIN totals
        ON totals.conversion_id = paths.conversion_id
        AND totals.user_id = paths.user_id
),
parted AS (
    SELECT
        conversion_id,
        outcome,
        reason,
        user_id,
        touch_id,
        campaign_id,
        touch_time,
        user_micros,
        user_micros * weight // weights AS part,
        user_micros * weight % weights AS remainder
    FROM weighed
    WHERE touches > 1
),
turns AS (
    SELECT
        *,
        CAST(sum(part) OVER (PARTITION BY conversion_id, user_id) AS BIGINT) AS parts,
        row_number() OVER (
            PARTITION BY conversion_id, user_id
            ORDER BY remainder DESC, touch_id NULLS LAST
        ) AS turn
    FROM parted
),
known AS (
    SELECT conversion_id, sum(user_micros) AS micros
    FROM paths
    GROUP BY conversion_id
),
others AS (
    SELECT
        work_conversions.conversion_id,
        CASE WHEN invalid_conversions.conversion_id IS NULL THEN 'unmatched' ELSE 'rejected' END AS outcome,
        invalid_conversions.reason,
        1000000 - coalesce(known.micros, 0) AS credit_micros
    FROM work_conversions
    LEFT JOIN known ON known.conversion_id = work_conversions.conversion_id
    LEFT JOIN invalid_conversions ON invalid_conversions.conversion_id = work_conversions.conversion_id
    WHERE coalesce(known.micros, 0) < 1000000
),
credited AS (
    -- most paths are one touch's or nobody's: they have nothing to divide
    SELECT
        conversion_id, outcome, reason, user_id, touch_id, campaign_id, touch_time,
        user_micros AS credit_micros
    FROM weighed
    WHERE touches = 1
    UNION ALL
    -- what rounding down leaves goes to the largest remainders, a millionth each
    SELECT
        conversion_id, outcome, reason, user_id, touch_id, campaign_id, touch_time,
        part + CASE WHEN turn <= user_micros - parts THEN 1 ELSE 0 END AS credit_micros
    FROM turns
    WHERE part > 0 OR turn <= user_micros - parts
    UNION ALL
    SELECT
        conversion_id, outcome, reason, NULL AS user_id, NULL AS touch_id, NULL AS campaign_id,
        NULL AS touch_time, credit_micros
    FROM others
),
valued AS (
    -- the product of value and credit may be too large for 64 bits: whole units by themselves
    SELECT
        credited.*,
        work_conversions.day,
        work_conversions.value_micros AS whole,
        work_conversions.value_micros // 1000000 * credited.credit_micros
            + work_conversions.value_micros % 1000000 * credited.credit_micros // 1000000 AS part,
        work_conversions.value_micros % 1000000 * credited.credit_micros % 1000000 AS remainder
    FROM credited
    JOIN work_conversions ON work_conversions.conversion_id = credited.conversion_id
),
value_turns AS (
    SELECT
        *,
        CAST(sum(part) OVER (PARTITION BY conversion_id) AS BIGINT) AS parts,
        row_number() OVER (
            PARTITION BY conversion_id
            ORDER BY remainder DESC, outcome, user_id NULLS LAST, touch_id NULLS LAST
        ) AS turn
    FROM valued
    WHERE credit_micros < 1000000
),
apportioned AS (
    SELECT
        conversion_id, outcome, user_id, touch_id, credit_micros, whole AS value_micros, day, campaign_id,
        touch_time, reason
    FROM valued
    WHERE credit_micros = 1000000
    UNION ALL
    SELECT
        conversion_id, outcome, user_id, touch_id, credit_micros,
        part + CASE WHEN turn <= whole - parts THEN 1 ELSE 0 END AS value_micros, day, campaign_id,
        touch_time, reason
    FROM value_turns
)
SELECT
    conversion_id,
    $model AS model,
    outcome,
    user_id,
    touch_id,
    CAST(credit_micros AS BIGINT) AS credit_micros,
    CAST(value_micros AS BIGINT) AS value_micros,
    day,
    campaign_id,
    touch_time,
    reason,
    $rules_version AS rules_version,
    CAST($model_version AS VARCHAR) AS model_version
FROM apportioned
