-- purpose: which credit and value each campaign won or lost when a run changed what was given before, and
--     what earns it otherwise
-- grain: one run, date of conversions, campaign, cause (null: not kept then), currency of the conversions and
--     model; (organic), (unmatched) and (rejected) stand for what no campaign earns. before: as it stood when
--     the first change of this cause in the run came; moved: all its changes together; after: before + moved.
--     Where credit only went from one touch of a campaign to another there is no row
-- reads: restatements, conversions, runs
-- parameters: none
WITH began AS (
    SELECT run_id, min(started_at) AS started_at FROM runs GROUP BY run_id
),
dated AS (
    -- a run of several log days may change a conversion several times: rows stand as they were written
    SELECT
        restatements.run_id,
        restatements.rowid AS place,
        coalesce(restatements.day, conversions.day) AS day,
        restatements.conversion_id,
        conversions.currency,
        restatements.cause,
        restatements.model,
        restatements.before,
        restatements.after
    FROM restatements
    LEFT JOIN conversions ON conversions.conversion_id = restatements.conversion_id
),
sides AS (
    SELECT
        place,
        false AS is_after,
        unnest(from_json(
            before,
            '[{"outcome": "VARCHAR", "campaign_id": "VARCHAR", "credit_micros": "BIGINT", "value_micros": "BIGINT"}]'
        )) AS part
    FROM dated
    UNION ALL
    SELECT
        place,
        true AS is_after,
        unnest(from_json(
            after,
            '[{"outcome": "VARCHAR", "campaign_id": "VARCHAR", "credit_micros": "BIGINT", "value_micros": "BIGINT"}]'
        )) AS part
    FROM dated
),
steps AS (
    SELECT
        place,
        CASE WHEN part.outcome = 'touch' THEN part.campaign_id ELSE concat('(', part.outcome, ')') END AS campaign_id,
        coalesce(sum(part.credit_micros) FILTER (WHERE NOT is_after), 0) AS credit_before,
        coalesce(sum(part.credit_micros) FILTER (WHERE is_after), 0) AS credit_after,
        coalesce(sum(part.value_micros) FILTER (WHERE NOT is_after), 0) AS value_before,
        coalesce(sum(part.value_micros) FILTER (WHERE is_after), 0) AS value_after
    FROM sides
    GROUP BY ALL
),
moves AS (
    SELECT
        dated.run_id,
        dated.day,
        dated.conversion_id,
        dated.currency,
        dated.cause,
        dated.model,
        steps.campaign_id,
        arg_min(steps.credit_before, dated.place) AS credit_before,
        sum(steps.credit_after - steps.credit_before) AS credit_moved,
        arg_min(steps.value_before, dated.place) AS value_before,
        sum(steps.value_after - steps.value_before) AS value_moved
    FROM dated
    JOIN steps ON steps.place = dated.place
    GROUP BY ALL
    HAVING credit_moved <> 0 OR value_moved <> 0
)
SELECT
    CAST(began.started_at AS DATE) AS run_date,
    moves.day,
    moves.campaign_id,
    moves.cause,
    moves.model,
    moves.currency,
    count(*) AS conversions,
    round(sum(moves.credit_moved) / 1e6, 6) AS credit_moved,
    round(sum(moves.credit_before) / 1e6, 6) AS credit_before,
    round(sum(moves.credit_before + moves.credit_moved) / 1e6, 6) AS credit_after,
    round(sum(moves.value_moved) / 1e6, 6) AS value_moved,
    round(sum(moves.value_before) / 1e6, 6) AS value_before,
    round(sum(moves.value_before + moves.value_moved) / 1e6, 6) AS value_after,
    moves.run_id
FROM moves
LEFT JOIN began ON began.run_id = moves.run_id
GROUP BY ALL
ORDER BY run_date, run_id, day, campaign_id, cause, currency, model
