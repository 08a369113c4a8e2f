-- purpose: find touchpoints that repeat an id of the same log day; the first of file and row stays
-- grain: one touchpoint too many
-- makes: repeated_rows
-- reads: touchpoints
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE repeated_rows AS
WITH fresh AS (
    SELECT rowid AS row_number, day, touch_id, hash(touch_id) AS touch_hash, source_file, source_row
    FROM touchpoints
    WHERE day BETWEEN $first_day AND $last_day
),
suspects AS (
    -- 64-bit hashes group faster than text; the few that collide are told apart below
    SELECT day, touch_hash
    FROM fresh
    GROUP BY day, touch_hash
    HAVING count(*) > 1
),
ranked AS (
    SELECT
        fresh.row_number,
        row_number() OVER (
            PARTITION BY fresh.day, fresh.touch_id
            ORDER BY fresh.source_file, fresh.source_row
        ) AS place
    FROM fresh
    JOIN suspects ON suspects.day = fresh.day AND suspects.touch_hash = fresh.touch_hash
)
SELECT row_number
FROM ranked
WHERE place > 1
