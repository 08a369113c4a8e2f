-- purpose: the conversions to credit, and what made this run look at each
-- grain: one conversion
-- makes: work_conversions
-- reads: new_conversions, signal_roles, touched_signals, pending_signals, reached_conversions,
--     conversion_users, changed_invalid_users, conversion_values
-- parameters: none
CREATE OR REPLACE TEMP TABLE work_conversions AS
WITH brought AS (
    SELECT
        signal_roles.conversion_id,
        -- a new match, an adjustment, or else a signal that came, went or was read again
        CASE
            WHEN pending_signals.signal_id IS NOT NULL AND touched_signals.signal_id IS NULL THEN 2
            WHEN signal_roles.role IN ('retraction', 'restatement') THEN 3
            ELSE 1
        END AS priority
    FROM signal_roles
    LEFT JOIN touched_signals
        ON touched_signals.signal_id = signal_roles.signal_id AND touched_signals.of_the_day
    LEFT JOIN pending_signals ON pending_signals.signal_id = signal_roles.signal_id
    WHERE touched_signals.signal_id IS NOT NULL OR pending_signals.signal_id IS NOT NULL
),
concerned AS (
    SELECT conversion_id, priority FROM brought WHERE conversion_id IS NOT NULL
    UNION ALL
    SELECT conversion_id, 1 AS priority FROM new_conversions
    WHERE conversion_id NOT IN (SELECT conversion_id FROM brought WHERE conversion_id IS NOT NULL)
    UNION ALL
    SELECT conversion_id, 4 AS priority FROM reached_conversions
    UNION ALL
    SELECT conversion_users.conversion_id, 5 AS priority
    FROM conversion_users
    JOIN changed_invalid_users ON changed_invalid_users.user_id = conversion_users.user_id
),
causes AS (
    SELECT conversion_id, min(priority) AS priority
    FROM concerned
    GROUP BY conversion_id
)
SELECT
    conversion_values.conversion_id,
    conversion_values.day,
    conversion_values.advertiser_id,
    conversion_values.event_name,
    conversion_values.time_us,
    conversion_values.value_micros,
    CASE causes.priority
        WHEN 1 THEN 'signals'
        WHEN 2 THEN 'matches'
        WHEN 3 THEN 'adjustment'
        WHEN 4 THEN 'touches'
        ELSE 'traffic'
    END AS cause
FROM conversion_values
JOIN causes ON causes.conversion_id = conversion_values.conversion_id
