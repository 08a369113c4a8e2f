-- purpose: all credit to the best kind of touch (click, engaged view, view), of those the latest
-- grain: one conversion
-- makes: new_credits
-- reads: work_conversions, eligible_touches
-- parameters: none
CREATE OR REPLACE TEMP TABLE new_credits AS
WITH ranked AS (
    SELECT
        conversion_id,
        touch_id,
        campaign_id,
        time_us,
        row_number() OVER (
            PARTITION BY conversion_id
            ORDER BY kind_order, time_us DESC, touch_id
        ) AS place
    FROM eligible_touches
)
SELECT
    work_conversions.conversion_id,
    'last_touch' AS model,
    CASE
        WHEN ranked.touch_id IS NOT NULL THEN 'touch'
        WHEN work_conversions.user_id IS NOT NULL THEN 'organic'
        ELSE 'unmatched'
    END AS outcome,
    work_conversions.user_id,
    ranked.touch_id,
    CAST(1000000 AS BIGINT) AS credit_micros,
    work_conversions.value_micros,
    work_conversions.day,
    ranked.campaign_id,
    CASE WHEN ranked.time_us IS NOT NULL THEN make_timestamp(ranked.time_us) END AS touch_time
FROM work_conversions
LEFT JOIN ranked
    ON ranked.conversion_id = work_conversions.conversion_id
    AND ranked.place = 1
