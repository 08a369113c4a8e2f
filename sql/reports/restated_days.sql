-- purpose: how much later runs changed the credit already given for the conversions of each day, and why
-- grain: one date of conversions, cause (null: not kept then) and model. gained and lost: credit that
--     campaigns were given and that was taken from them, conversion by conversion, moved their sum; a
--     conversion that was restated twice is told once in conversions and with both changes in credit
-- reads: restatements, conversions
-- parameters: none
WITH dated AS (
    SELECT
        coalesce(restatements.day, conversions.day) AS day,
        restatements.cause,
        restatements.model,
        restatements.conversion_id,
        restatements.run_id,
        restatements.before,
        restatements.after
    FROM restatements
    LEFT JOIN conversions ON conversions.conversion_id = restatements.conversion_id
),
sides AS (
    SELECT
        day,
        cause,
        model,
        conversion_id,
        run_id,
        -1 AS sign,
        unnest(from_json(
            before, '[{"outcome": "VARCHAR", "campaign_id": "VARCHAR", "credit_micros": "BIGINT"}]'
        )) AS part
    FROM dated
    UNION ALL
    SELECT
        day,
        cause,
        model,
        conversion_id,
        run_id,
        1 AS sign,
        unnest(from_json(
            after, '[{"outcome": "VARCHAR", "campaign_id": "VARCHAR", "credit_micros": "BIGINT"}]'
        )) AS part
    FROM dated
),
changes AS (
    SELECT
        day,
        cause,
        model,
        part.campaign_id AS campaign_id,
        sum(sign * part.credit_micros) AS credit_micros
    FROM sides
    WHERE part.outcome = 'touch'
    GROUP BY day, cause, model, conversion_id, run_id, part.campaign_id
),
moved AS (
    SELECT
        day,
        cause,
        model,
        sum(credit_micros) FILTER (WHERE credit_micros > 0) AS gained,
        -sum(credit_micros) FILTER (WHERE credit_micros < 0) AS lost
    FROM changes
    GROUP BY day, cause, model
),
counted AS (
    SELECT day, cause, model, count(DISTINCT conversion_id) AS conversions
    FROM dated
    GROUP BY day, cause, model
)
SELECT
    counted.day,
    counted.cause,
    counted.model,
    counted.conversions,
    round((coalesce(moved.gained, 0) + coalesce(moved.lost, 0)) / 1e6, 6) AS moved,
    round(coalesce(moved.gained, 0) / 1e6, 6) AS gained,
    round(coalesce(moved.lost, 0) / 1e6, 6) AS lost
FROM counted
LEFT JOIN moved
    ON moved.day IS NOT DISTINCT FROM counted.day
    AND moved.cause IS NOT DISTINCT FROM counted.cause
    AND moved.model = counted.model
ORDER BY counted.day, counted.cause, counted.model
