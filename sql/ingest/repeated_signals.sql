-- purpose: find signals that repeat an id of any log day; the first of day, file and row stays
-- grain: one signal too many
-- makes: repeated_rows
-- reads: signals
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE repeated_rows AS
WITH fresh AS (
    SELECT DISTINCT hash(signal_id) AS signal_hash
    FROM signals
    WHERE day BETWEEN $first_day AND $last_day
),
suspects AS (
    -- the same event may be sent again on any later day, or its day be read before an earlier one
    SELECT hash(signals.signal_id) AS signal_hash
    FROM signals
    JOIN fresh ON fresh.signal_hash = hash(signals.signal_id)
    GROUP BY hash(signals.signal_id)
    HAVING count(*) > 1
),
ranked AS (
    SELECT
        signals.rowid AS row_number,
        row_number() OVER (
            PARTITION BY signals.signal_id
            ORDER BY signals.day, signals.source_file, signals.source_row
        ) AS place
    FROM signals
    JOIN suspects ON suspects.signal_hash = hash(signals.signal_id)
)
SELECT row_number
FROM ranked
WHERE place > 1
