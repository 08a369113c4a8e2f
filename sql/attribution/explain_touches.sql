-- purpose: the advertiser's touches of each candidate user up to the longest window before one
--     conversion, whether each may earn it, and why it came where it came under last_touch
-- grain: one (user_id, touch_id)
-- reads: conversions, conversion_users, credits, touchpoints, path_touches, path_rules,
--     limited_advertisers, listed_values
-- parameters: $conversion_id, $named_click_first
WITH paths AS (
    SELECT
        conversions.conversion_id,
        conversions.advertiser_id,
        epoch_us(conversions.event_time) AS time_us,
        conversion_users.user_id,
        path_rules.click_window_us,
        path_rules.engaged_view_window_us,
        path_rules.view_window_us,
        path_rules.longest_window_us
    FROM conversions
    JOIN conversion_users ON conversion_users.conversion_id = conversions.conversion_id
    JOIN path_rules
        ON path_rules.advertiser_id = conversions.advertiser_id
        AND path_rules.event_name = conversions.event_name
        AND path_rules.method = conversion_users.method
    WHERE conversions.conversion_id = $conversion_id
),
stored AS (
    SELECT
        user_id,
        touch_id,
        reason,
        named,
        strength,
        touch_time,
        row_number() OVER (
            PARTITION BY user_id, reason IS NULL
            ORDER BY
                CASE WHEN $named_click_first AND named THEN 0 ELSE 1 END,
                strength,
                touch_time DESC,
                touch_id
        ) AS precedence
    FROM path_touches
    WHERE conversion_id = $conversion_id
),
winners AS (
    SELECT user_id, strength, touch_time, named
    FROM stored
    WHERE reason IS NULL AND precedence = 1
),
reinstalled AS (
    SELECT DISTINCT user_id
    FROM credits
    WHERE conversion_id = $conversion_id AND reason = 'reinstall'
),
copies AS (
    SELECT
        paths.user_id,
        paths.advertiser_id,
        paths.time_us AS conversion_us,
        CASE touchpoints.kind
            WHEN 'click' THEN paths.click_window_us
            WHEN 'engaged_view' THEN paths.engaged_view_window_us
            ELSE paths.view_window_us
        END AS window_us,
        touchpoints.touch_id,
        touchpoints.event_time,
        epoch_us(touchpoints.event_time) AS time_us,
        touchpoints.kind,
        touchpoints.campaign_id,
        touchpoints.surface,
        touchpoints.arm,
        -- of a touch sent twice, the copy that counted, if one did
        row_number() OVER (
            PARTITION BY paths.user_id, touchpoints.touch_id
            ORDER BY
                CASE WHEN path_touches.touch_day = touchpoints.day THEN 0 ELSE 1 END,
                CASE WHEN touchpoints.arm = 'control' THEN 1 ELSE 0 END,
                touchpoints.event_time DESC,
                touchpoints.day
        ) AS copy
    FROM paths
    JOIN touchpoints
        ON touchpoints.user_id = paths.user_id
        AND touchpoints.advertiser_id = paths.advertiser_id
        AND epoch_us(touchpoints.event_time) <= paths.time_us
        AND epoch_us(touchpoints.event_time) >= paths.time_us - paths.longest_window_us
    LEFT JOIN path_touches
        ON path_touches.conversion_id = paths.conversion_id
        AND path_touches.user_id = paths.user_id
        AND path_touches.touch_id = touchpoints.touch_id
)
SELECT
    copies.user_id,
    copies.touch_id,
    copies.event_time,
    copies.kind,
    copies.campaign_id,
    copies.surface,
    CASE
        WHEN stored.touch_id IS NOT NULL AND reinstalled.user_id IS NOT NULL THEN 'reinstall'
        WHEN stored.reason IS NOT NULL THEN stored.reason
        WHEN stored.touch_id IS NOT NULL AND stored.precedence = 1 THEN 'won'
        WHEN stored.touch_id IS NOT NULL AND $named_click_first AND winners.named AND NOT stored.named THEN 'other_click_named'
        WHEN stored.touch_id IS NOT NULL AND stored.strength > winners.strength THEN 'weaker_kind'
        WHEN stored.touch_id IS NOT NULL AND stored.touch_time < winners.touch_time THEN 'earlier'
        WHEN stored.touch_id IS NOT NULL THEN 'tie_by_touch_id'
        WHEN copies.arm = 'control' THEN 'withheld_by_holdout'
        WHEN copies.time_us + copies.window_us < copies.conversion_us THEN 'outside_window'
        WHEN NOT coalesce(surfaces.earns, NOT coalesce(limited_advertisers.surfaces_listed, false)) THEN 'excluded_surface'
        WHEN NOT coalesce(campaigns.earns, NOT coalesce(limited_advertisers.campaigns_listed, false)) THEN 'excluded_campaign'
        ELSE 'not_attributed_yet'
    END AS reason,
    stored.touch_id IS NOT NULL
        AND stored.reason IS NULL
        AND stored.precedence > 1
        AND reinstalled.user_id IS NULL AS assist
FROM copies
LEFT JOIN stored ON stored.user_id = copies.user_id AND stored.touch_id = copies.touch_id
LEFT JOIN winners ON winners.user_id = copies.user_id
LEFT JOIN reinstalled ON reinstalled.user_id = copies.user_id
LEFT JOIN limited_advertisers ON limited_advertisers.advertiser_id = copies.advertiser_id
LEFT JOIN listed_values AS surfaces
    ON surfaces.advertiser_id = copies.advertiser_id
    AND surfaces.part = 'surface'
    AND surfaces.value = copies.surface
LEFT JOIN listed_values AS campaigns
    ON campaigns.advertiser_id = copies.advertiser_id
    AND campaigns.part = 'campaign'
    AND campaigns.value = copies.campaign_id
WHERE copies.copy = 1
ORDER BY copies.user_id, copies.event_time DESC, copies.touch_id
