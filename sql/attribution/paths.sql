-- purpose: the paths of the conversions at work, and what earns where no touch does
-- grain: one (conversion_id, user_id); a conversion that no person made has none
-- makes: paths
-- reads: work_conversions, new_users, invalid_conversions, path_touches, reinstalls
-- parameters: $named_click_first
CREATE OR REPLACE TEMP TABLE paths AS
WITH refused AS (
    SELECT
        path_touches.conversion_id,
        path_touches.user_id,
        path_touches.reason,
        row_number() OVER (
            PARTITION BY path_touches.conversion_id, path_touches.user_id
            ORDER BY
                CASE WHEN $named_click_first AND path_touches.named THEN 0 ELSE 1 END,
                path_touches.strength,
                path_touches.touch_time DESC,
                path_touches.touch_id
        ) AS precedence
    FROM path_touches
    JOIN work_conversions ON work_conversions.conversion_id = path_touches.conversion_id
    WHERE path_touches.reason IS NOT NULL
),
allowed AS (
    -- of the paths with refused touches, those with others as well
    SELECT DISTINCT path_touches.conversion_id, path_touches.user_id
    FROM path_touches
    JOIN refused
        ON refused.conversion_id = path_touches.conversion_id
        AND refused.user_id = path_touches.user_id
        AND refused.precedence = 1
    WHERE path_touches.reason IS NULL
)
SELECT
    new_users.conversion_id,
    new_users.user_id,
    new_users.user_micros,
    CASE
        WHEN reinstalls.conversion_id IS NOT NULL THEN 'organic'
        WHEN refused.conversion_id IS NOT NULL AND allowed.conversion_id IS NULL THEN 'rejected'
        ELSE 'organic'
    END AS outcome,
    CASE
        WHEN reinstalls.conversion_id IS NOT NULL THEN 'reinstall'
        WHEN refused.conversion_id IS NOT NULL AND allowed.conversion_id IS NULL THEN refused.reason
    END AS reason
FROM new_users
LEFT JOIN invalid_conversions ON invalid_conversions.conversion_id = new_users.conversion_id
LEFT JOIN reinstalls
    ON reinstalls.conversion_id = new_users.conversion_id
    AND reinstalls.user_id = new_users.user_id
LEFT JOIN refused
    ON refused.conversion_id = new_users.conversion_id
    AND refused.user_id = new_users.user_id
    AND refused.precedence = 1
LEFT JOIN allowed
    ON allowed.conversion_id = new_users.conversion_id
    AND allowed.user_id = new_users.user_id
WHERE invalid_conversions.conversion_id IS NULL
