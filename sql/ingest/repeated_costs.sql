-- purpose: find costs that repeat a campaign and date within one log day; the first stays
-- grain: one row too many
-- makes: repeated_rows
-- reads: costs
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE repeated_rows AS
WITH ranked AS (
    SELECT
        rowid AS row_number,
        row_number() OVER (
            PARTITION BY day, date, campaign_id
            ORDER BY source_file, source_row
        ) AS place
    FROM costs
    WHERE day BETWEEN $first_day AND $last_day
)
SELECT row_number
FROM ranked
WHERE place > 1
