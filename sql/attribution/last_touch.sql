-- purpose: all credit to the best kind of touch (click, engaged view, view), of those the latest
-- grain: one conversion
-- reads: work_conversions, path_touches
-- parameters: none
INSERT INTO new_credits BY NAME
WITH ranked AS (
    SELECT
        path_touches.conversion_id,
        path_touches.touch_id,
        path_touches.campaign_id,
        path_touches.touch_time,
        row_number() OVER (
            PARTITION BY path_touches.conversion_id
            ORDER BY
                CASE path_touches.kind WHEN 'click' THEN 1 WHEN 'engaged_view' THEN 2 ELSE 3 END,
                path_touches.touch_time DESC,
                path_touches.touch_id
        ) AS place
    FROM path_touches
    JOIN work_conversions ON work_conversions.conversion_id = path_touches.conversion_id
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
    ranked.touch_time
FROM work_conversions
LEFT JOIN ranked
    ON ranked.conversion_id = work_conversions.conversion_id
    AND ranked.place = 1
