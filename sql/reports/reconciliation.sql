-- purpose: that nothing was lost or doubled between signals, conversions and credit: of each step what
--     went in, where it is now, and the difference, which is 0
-- grain: one step, of the credit one step and model, of the value one step, model and currency;
--     not credited: conversions of before the model was asked for
-- reads: signals, conversion_signals, conversions, credits, path_touches
-- parameters: none
WITH sent AS (
    SELECT
        count(*) AS signals,
        count(*) FILTER (WHERE conversion_signals.signal_id IS NULL) AS waiting
    FROM signals
    LEFT JOIN conversion_signals ON conversion_signals.signal_id = signals.signal_id
),
roles AS (
    SELECT
        count(*) FILTER (WHERE role = 'first') AS firsts,
        count(*) FILTER (WHERE role = 'repeat') AS repeats,
        count(*) FILTER (WHERE role NOT IN ('first', 'repeat') AND conversion_id IS NOT NULL) AS adjustments,
        count(*) FILTER (WHERE role NOT IN ('first', 'repeat') AND conversion_id IS NULL) AS without_order
    FROM conversion_signals
),
made AS (
    SELECT
        count(*) AS conversions,
        count(*) FILTER (WHERE status = 'active') AS active,
        count(*) FILTER (WHERE status = 'restated') AS restated,
        count(*) FILTER (WHERE status = 'retracted') AS retracted
    FROM conversions
),
models AS (
    SELECT DISTINCT model FROM credits
),
owed AS (
    SELECT
        models.model,
        conversions.conversion_id,
        conversions.currency,
        CAST(CAST(coalesce(conversions.value, 0) AS DECIMAL(28, 6)) * 1000000 AS BIGINT) AS value_micros
    FROM conversions
    CROSS JOIN models
),
given AS (
    SELECT
        model,
        conversion_id,
        coalesce(sum(credit_micros) FILTER (WHERE outcome = 'touch'), 0) AS touch,
        coalesce(sum(credit_micros) FILTER (WHERE outcome = 'organic'), 0) AS organic,
        coalesce(sum(credit_micros) FILTER (WHERE outcome = 'unmatched'), 0) AS unmatched,
        coalesce(sum(credit_micros) FILTER (WHERE outcome = 'rejected'), 0) AS rejected,
        sum(value_micros) AS value_micros,
        coalesce(sum(value_micros) FILTER (WHERE outcome = 'touch'), 0) AS touch_value
    FROM credits
    GROUP BY model, conversion_id
),
sums AS (
    SELECT
        owed.model,
        owed.currency,
        count(*) AS conversions,
        count(*) FILTER (WHERE given.conversion_id IS NULL) AS not_credited,
        coalesce(sum(given.touch), 0) AS touch,
        coalesce(sum(given.organic), 0) AS organic,
        coalesce(sum(given.unmatched), 0) AS unmatched,
        coalesce(sum(given.rejected), 0) AS rejected,
        sum(owed.value_micros) AS value_owed,
        coalesce(sum(owed.value_micros) FILTER (WHERE given.conversion_id IS NULL), 0) AS value_not_credited,
        coalesce(sum(given.touch_value), 0) AS touch_value,
        coalesce(sum(given.value_micros - given.touch_value), 0) AS other_value
    FROM owed
    LEFT JOIN given ON given.model = owed.model AND given.conversion_id = owed.conversion_id
    GROUP BY owed.model, owed.currency
),
by_model AS (
    SELECT
        model,
        sum(conversions) AS conversions,
        sum(not_credited) AS not_credited,
        sum(touch) AS touch,
        sum(organic) AS organic,
        sum(unmatched) AS unmatched,
        sum(rejected) AS rejected
    FROM sums
    GROUP BY model
),
earning AS (
    SELECT
        credits.model,
        sum(credits.credit_micros) AS credit_micros,
        coalesce(sum(credits.credit_micros) FILTER (WHERE path_touches.kind = 'click'), 0) AS clicks,
        coalesce(sum(credits.credit_micros) FILTER (WHERE path_touches.kind = 'engaged_view'), 0) AS engaged_views,
        coalesce(sum(credits.credit_micros) FILTER (WHERE path_touches.kind = 'impression'), 0) AS impressions
    FROM credits
    LEFT JOIN path_touches
        ON path_touches.conversion_id = credits.conversion_id
        AND path_touches.touch_id = credits.touch_id
        AND path_touches.user_id = credits.user_id
        AND path_touches.reason IS NULL
    WHERE credits.outcome = 'touch'
    GROUP BY credits.model
),
steps AS (
    SELECT
        1 AS step,
        'signals in their roles' AS what,
        CAST(NULL AS VARCHAR) AS model,
        CAST(NULL AS VARCHAR) AS currency,
        sent.signals * 1000000 AS total,
        (roles.firsts + roles.repeats + roles.adjustments + roles.without_order + sent.waiting) * 1000000
            AS accounted,
        concat(
            'first ', roles.firsts, ', repeat ', roles.repeats, ', adjustment ', roles.adjustments,
            ', of an order not seen ', roles.without_order, ', waiting ', sent.waiting
        ) AS parts
    FROM sent
    CROSS JOIN roles
    UNION ALL
    SELECT
        2,
        'first signals as conversions',
        NULL,
        NULL,
        roles.firsts * 1000000,
        made.conversions * 1000000,
        concat('active ', made.active, ', restated ', made.restated, ', retracted ', made.retracted)
    FROM roles
    CROSS JOIN made
    UNION ALL
    SELECT
        3,
        'conversions as credit',
        model,
        NULL,
        conversions * 1000000,
        touch + organic + unmatched + rejected + not_credited * 1000000,
        concat(
            'touch ', round(touch / 1e6, 6), ', organic ', round(organic / 1e6, 6),
            ', unmatched ', round(unmatched / 1e6, 6), ', rejected ', round(rejected / 1e6, 6),
            ', not credited ', not_credited
        )
    FROM by_model
    UNION ALL
    SELECT
        4,
        'credit of touches in their paths',
        model,
        NULL,
        credit_micros,
        clicks + engaged_views + impressions,
        concat(
            'click ', round(clicks / 1e6, 6), ', engaged_view ', round(engaged_views / 1e6, 6),
            ', impression ', round(impressions / 1e6, 6)
        )
    FROM earning
    UNION ALL
    SELECT
        5,
        'value of conversions as value of credit',
        model,
        currency,
        value_owed,
        touch_value + other_value + value_not_credited,
        concat(
            'touch ', round(touch_value / 1e6, 6), ', other ', round(other_value / 1e6, 6),
            ', not credited ', round(value_not_credited / 1e6, 6)
        )
    FROM sums
)
SELECT
    step,
    what,
    model,
    currency,
    round(total / 1e6, 6) AS total,
    round(accounted / 1e6, 6) AS accounted,
    round((total - accounted) / 1e6, 6) AS difference,
    parts
FROM steps
ORDER BY step, what, currency, model
