-- purpose: the users who may have made the conversions at work: the candidates of the signal that
--     says most, a declared match before any other
-- grain: one (conversion_id, user_id)
-- makes: new_users
-- reads: work_conversions, conversion_signals, matches, signals
-- parameters: $methods (in the order of trust)
CREATE OR REPLACE TEMP TABLE new_users AS
WITH members AS (
    SELECT conversion_signals.conversion_id, conversion_signals.signal_id, work_conversions.day
    FROM conversion_signals
    JOIN work_conversions ON work_conversions.conversion_id = conversion_signals.conversion_id
    WHERE conversion_signals.role IN ('first', 'repeat')
),
candidates AS (
    SELECT
        members.conversion_id,
        members.day,
        members.signal_id,
        matches.user_id,
        matches.method,
        matches.match_probability,
        matches.declared,
        matches.rank,
        signals.event_time,
        coalesce(array_position($methods, matches.method), 1000) AS trust
    FROM members
    JOIN matches ON matches.signal_id = members.signal_id
    JOIN signals ON signals.signal_id = members.signal_id
),
tops AS (
    SELECT
        conversion_id,
        signal_id,
        row_number() OVER (
            PARTITION BY conversion_id
            ORDER BY
                CASE WHEN declared THEN 0 ELSE 1 END,
                match_probability DESC,
                trust,
                event_time,
                signal_id,
                rank,
                user_id
        ) AS place
    FROM candidates
),
counted AS (
    SELECT
        candidates.conversion_id,
        candidates.day,
        candidates.user_id,
        candidates.signal_id,
        candidates.method,
        candidates.declared,
        CAST(round(candidates.match_probability * 1000000) AS BIGINT) AS micros,
        row_number() OVER (
            PARTITION BY candidates.conversion_id
            ORDER BY
                CASE WHEN candidates.declared THEN 0 ELSE 1 END,
                candidates.match_probability DESC,
                candidates.rank,
                candidates.user_id
        ) AS place
    FROM candidates
    JOIN tops
        ON tops.conversion_id = candidates.conversion_id
        AND tops.signal_id = candidates.signal_id
        AND tops.place = 1
),
summed AS (
    SELECT
        *,
        coalesce(sum(micros) OVER (
            PARTITION BY conversion_id
            ORDER BY place
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS before
    FROM counted
)
SELECT
    conversion_id,
    day,
    user_id,
    signal_id,
    method,
    -- rounded each by itself they may sum to a millionth more than one
    CAST(least(micros, 1000000 - before) AS BIGINT) AS user_micros,
    place = 1 AND declared AS best
FROM summed
WHERE least(micros, 1000000 - before) > 0
