-- purpose: whose credit a later run changed, how, and what made it look again
-- grain: one conversion and model of one run, the newest run last; day is the date of the conversion
-- reads: restatements, conversions
-- parameters: none
WITH dated AS (
    -- those of before the date was kept have that of their conversion
    SELECT
        restatements.conversion_id,
        restatements.model,
        coalesce(restatements.day, conversions.day) AS day,
        restatements.cause,
        restatements.before,
        restatements.after,
        restatements.run_id
    FROM restatements
    LEFT JOIN conversions ON conversions.conversion_id = restatements.conversion_id
)
SELECT conversion_id, model, day, cause, before, after, run_id
FROM dated
ORDER BY run_id, day, conversion_id, cause, model
