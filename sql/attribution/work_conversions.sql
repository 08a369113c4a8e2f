-- purpose: the conversions to credit, each with its user
-- grain: one conversion; user_id is null where no signal of it has a match
-- makes: work_conversions
-- reads: new_conversions, reached_conversions, conversions, conversion_signals, matches, signals
-- parameters: $methods (in the order of trust)
CREATE OR REPLACE TEMP TABLE work_conversions AS
WITH at_work AS (
    SELECT conversion_id FROM new_conversions
    UNION
    SELECT conversion_id FROM reached_conversions
),
members AS (
    SELECT conversion_signals.conversion_id, conversion_signals.signal_id
    FROM conversion_signals
    JOIN at_work ON at_work.conversion_id = conversion_signals.conversion_id
    WHERE conversion_signals.role IN ('first', 'repeat')
),
candidates AS (
    SELECT
        members.conversion_id,
        matches.user_id,
        row_number() OVER (
            PARTITION BY members.conversion_id
            ORDER BY
                matches.match_probability DESC,
                coalesce(array_position($methods, matches.method), 1000),
                signals.event_time,
                signals.signal_id,
                matches.user_id
        ) AS place
    FROM members
    JOIN matches ON matches.signal_id = members.signal_id AND matches.declared
    JOIN signals ON signals.signal_id = members.signal_id
)
SELECT
    conversions.conversion_id,
    conversions.day,
    conversions.advertiser_id,
    epoch_us(conversions.event_time) AS time_us,
    CAST(CAST(coalesce(conversions.value, 0) AS DECIMAL(28, 6)) * 1000000 AS BIGINT) AS value_micros,
    candidates.user_id
FROM conversions
JOIN at_work ON at_work.conversion_id = conversions.conversion_id
LEFT JOIN candidates
    ON candidates.conversion_id = conversions.conversion_id
    AND candidates.place = 1
