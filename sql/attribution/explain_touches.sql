-- purpose: the advertiser's touches of a conversion's user up to the longest window before it, and
--     why each won or lost
-- grain: one touch_id
-- reads: credits, conversions, touchpoints
-- parameters: $conversion_id, $click_window_us, $engaged_view_window_us, $view_window_us,
--     $longest_window_us
WITH conversion AS (
    SELECT
        conversions.advertiser_id,
        epoch_us(conversions.event_time) AS time_us,
        credits.user_id,
        credits.touch_id AS winner_id
    FROM conversions
    JOIN credits ON credits.conversion_id = conversions.conversion_id AND credits.model = 'last_touch'
    WHERE conversions.conversion_id = $conversion_id
),
touches AS (
    SELECT
        touchpoints.touch_id,
        touchpoints.event_time,
        touchpoints.kind,
        touchpoints.campaign_id,
        touchpoints.surface,
        touchpoints.arm,
        epoch_us(touchpoints.event_time) AS time_us,
        conversion.time_us AS conversion_us,
        conversion.winner_id,
        CASE touchpoints.kind WHEN 'click' THEN 1 WHEN 'engaged_view' THEN 2 ELSE 3 END AS kind_order,
        CASE touchpoints.kind
            WHEN 'click' THEN $click_window_us
            WHEN 'engaged_view' THEN $engaged_view_window_us
            ELSE $view_window_us
        END AS window_us
    FROM touchpoints
    JOIN conversion
        ON conversion.user_id = touchpoints.user_id
        AND conversion.advertiser_id = touchpoints.advertiser_id
    WHERE touchpoints.event_time >= make_timestamp(conversion.time_us - $longest_window_us)
        AND touchpoints.event_time <= make_timestamp(conversion.time_us)
    -- of a touch sent twice, the copy that counted, if one did
    QUALIFY row_number() OVER (
        PARTITION BY touchpoints.touch_id
        ORDER BY
            CASE WHEN touchpoints.arm = 'control' THEN 1 ELSE 0 END,
            CASE WHEN time_us + window_us < conversion.time_us THEN 1 ELSE 0 END,
            time_us,
            kind_order,
            touchpoints.day
    ) = 1
),
winner AS (
    SELECT kind_order, time_us FROM touches WHERE touch_id = winner_id
)
SELECT
    touches.touch_id,
    touches.event_time,
    touches.kind,
    touches.campaign_id,
    touches.surface,
    CASE
        WHEN touches.touch_id = touches.winner_id THEN 'won'
        WHEN touches.arm = 'control' THEN 'withheld_by_holdout'
        WHEN touches.time_us + touches.window_us < touches.conversion_us THEN 'outside_window'
        WHEN touches.kind_order > winner.kind_order THEN 'weaker_kind'
        WHEN touches.time_us < winner.time_us THEN 'earlier'
        ELSE 'tie_by_touch_id'
    END AS reason
FROM touches
LEFT JOIN winner ON true
ORDER BY touches.event_time DESC, touches.touch_id
