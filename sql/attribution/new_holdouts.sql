-- purpose: what the conversions of known users tell of causes: their last touches, the last touches that
--     ads withheld would have been, and the opportunities before them
-- grain: one (conversion_id, role, campaign_id, kind)
-- makes: new_holdouts
-- reads: known_users, sought_paths, path_touches, opportunities, kind_strengths, recency_bins
-- parameters: $named_click_first
CREATE OR REPLACE TEMP TABLE new_holdouts AS
WITH ranked AS (
    SELECT
        path_touches.conversion_id,
        path_touches.day,
        path_touches.user_id,
        path_touches.campaign_id,
        path_touches.kind,
        path_touches.strength,
        path_touches.named,
        sought_paths.time_us - epoch_us(path_touches.touch_time) AS lag_us,
        min(path_touches.campaign_id) OVER (PARTITION BY path_touches.conversion_id) AS first_campaign,
        max(path_touches.campaign_id) OVER (PARTITION BY path_touches.conversion_id) AS last_campaign,
        row_number() OVER (
            PARTITION BY path_touches.conversion_id
            ORDER BY
                CASE WHEN $named_click_first AND path_touches.named THEN 0 ELSE 1 END,
                path_touches.strength,
                path_touches.touch_time DESC,
                path_touches.touch_id
        ) AS precedence
    FROM path_touches
    JOIN known_users
        ON known_users.conversion_id = path_touches.conversion_id
        AND known_users.user_id = path_touches.user_id
    JOIN sought_paths
        ON sought_paths.conversion_id = path_touches.conversion_id
        AND sought_paths.user_id = path_touches.user_id
    WHERE path_touches.reason IS NULL
),
winners AS (
    SELECT *
    FROM ranked
    WHERE precedence = 1
),
-- an ad withheld as each kind of touch that it might have led to, at its own time
withheld AS (
    SELECT
        opportunities.conversion_id,
        opportunities.day,
        opportunities.user_id,
        opportunities.campaign_id,
        opportunities.lag_us,
        kind_strengths.kind,
        kind_strengths.strength,
        CASE kind_strengths.kind
            WHEN 'click' THEN sought_paths.click_window_us
            WHEN 'engaged_view' THEN sought_paths.engaged_view_window_us
            ELSE sought_paths.view_window_us
        END AS window_us,
        CASE WHEN kind_strengths.kind = 'click' THEN sought_paths.least_click_us ELSE sought_paths.least_view_us END
            AS least_us
    FROM opportunities
    JOIN sought_paths
        ON sought_paths.conversion_id = opportunities.conversion_id
        AND sought_paths.user_id = opportunities.user_id
    CROSS JOIN kind_strengths
    WHERE opportunities.arm = 'control'
),
ghosts AS (
    SELECT
        withheld.*,
        CASE WHEN winners.conversion_id IS NULL THEN 'alone' ELSE 'shared' END AS path
    FROM withheld
    LEFT JOIN winners ON winners.conversion_id = withheld.conversion_id
    WHERE withheld.lag_us BETWEEN withheld.least_us AND withheld.window_us
        AND (
            winners.conversion_id IS NULL
            OR (
                NOT ($named_click_first AND winners.named)
                AND (
                    withheld.strength < winners.strength
                    OR (withheld.strength = winners.strength AND withheld.lag_us < winners.lag_us)
                )
            )
        )
),
told AS (
    SELECT
        conversion_id,
        day,
        user_id,
        'touched' AS role,
        campaign_id,
        kind,
        lag_us,
        CASE WHEN first_campaign = last_campaign THEN 'alone' ELSE 'shared' END AS path
    FROM winners
    UNION ALL
    SELECT conversion_id, day, user_id, 'ghost' AS role, campaign_id, kind, lag_us, path
    FROM ghosts
)
SELECT
    told.conversion_id, told.day, told.user_id, told.role, told.campaign_id, told.kind,
    recency_bins.recency, told.path, CAST(NULL AS DATE) AS touch_day
FROM told
JOIN recency_bins ON told.lag_us > recency_bins.above_us AND told.lag_us <= recency_bins.most_us
UNION ALL
SELECT
    opportunities.conversion_id, opportunities.day, opportunities.user_id, opportunities.arm AS role,
    opportunities.campaign_id, NULL AS kind, recency_bins.recency, NULL AS path, opportunities.touch_day
FROM opportunities
JOIN recency_bins ON opportunities.lag_us > recency_bins.above_us AND opportunities.lag_us <= recency_bins.most_us
