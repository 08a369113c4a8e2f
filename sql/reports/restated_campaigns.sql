-- purpose: which credit and value each campaign won or lost when a run changed what was given before, and
--     what earns it otherwise
-- grain: one run (log_day: the newest that it worked on), date of conversions, campaign, cause (null: not kept
--     then), model and currency of the conversions; (organic), (unmatched) and (rejected) stand for what no
--     campaign earns, (none) for conversions without any credit under the model: those that were joined to
--     another, and those that the model is not asked for any more. before: as it stood when
--     the first change of this cause in the run came; moved: all its changes together; after: before + moved.
--     Where credit only went from one touch of a campaign to another there is no row. A conversion without a
--     value counts with the currency of the campaign, (organic) and the like with that of the advertiser
-- reads: restatements, conversions, runs, campaign_currencies, advertiser_currencies
-- parameters: none
WITH began AS (
    SELECT run_id, min(started_at) AS started_at, max(day) AS log_day FROM runs GROUP BY run_id
),
dated AS (
    -- a run of several log days may change a conversion several times: rows stand as they were written
    SELECT
        restatements.run_id,
        restatements.rowid AS place,
        coalesce(restatements.day, conversions.day) AS day,
        restatements.conversion_id,
        conversions.currency,
        conversions.advertiser_id,
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
changes AS (
    SELECT * FROM steps
    UNION ALL
    -- credit that comes from no credit, or goes to none
    SELECT
        dated.place,
        '(none)' AS campaign_id,
        CASE WHEN dated.before IS NULL THEN sum(steps.credit_after) ELSE 0 END AS credit_before,
        CASE WHEN dated.after IS NULL THEN sum(steps.credit_before) ELSE 0 END AS credit_after,
        CASE WHEN dated.before IS NULL THEN sum(steps.value_after) ELSE 0 END AS value_before,
        CASE WHEN dated.after IS NULL THEN sum(steps.value_before) ELSE 0 END AS value_after
    FROM dated
    JOIN steps ON steps.place = dated.place
    WHERE dated.before IS NULL OR dated.after IS NULL
    GROUP BY dated.place, dated.before, dated.after
),
moves AS (
    SELECT
        dated.run_id,
        dated.day,
        dated.conversion_id,
        dated.currency,
        dated.advertiser_id,
        dated.cause,
        dated.model,
        changes.campaign_id,
        arg_min(changes.credit_before, dated.place) AS credit_before,
        sum(changes.credit_after - changes.credit_before) AS credit_moved,
        arg_min(changes.value_before, dated.place) AS value_before,
        sum(changes.value_after - changes.value_before) AS value_moved
    FROM dated
    JOIN changes ON changes.place = dated.place
    GROUP BY ALL
    HAVING credit_moved <> 0 OR value_moved <> 0
),
placed AS (
    -- a value of nothing, before and after, may stand in any currency
    SELECT
        moves.* EXCLUDE (currency),
        CASE
            WHEN moves.currency IS NOT NULL OR moves.value_before <> 0 OR moves.value_moved <> 0
                THEN moves.currency
            WHEN moves.campaign_id IN ('(organic)', '(unmatched)', '(rejected)', '(none)')
                THEN advertiser_currencies.currency
            ELSE campaign_currencies.currency
        END AS currency
    FROM moves
    LEFT JOIN campaign_currencies ON campaign_currencies.campaign_id = moves.campaign_id
    LEFT JOIN advertiser_currencies ON advertiser_currencies.advertiser_id = moves.advertiser_id
)
SELECT
    began.log_day,
    placed.day,
    placed.campaign_id,
    placed.cause,
    placed.model,
    placed.currency,
    count(*) AS conversions,
    round(sum(placed.credit_moved) / 1e6, 6) AS credit_moved,
    round(sum(placed.credit_before) / 1e6, 6) AS credit_before,
    round(sum(placed.credit_before + placed.credit_moved) / 1e6, 6) AS credit_after,
    round(sum(placed.value_moved) / 1e6, 6) AS value_moved,
    round(sum(placed.value_before) / 1e6, 6) AS value_before,
    round(sum(placed.value_before + placed.value_moved) / 1e6, 6) AS value_after,
    CAST(began.started_at AS DATE) AS run_date,
    placed.run_id
FROM placed
LEFT JOIN began ON began.run_id = placed.run_id
GROUP BY ALL
ORDER BY log_day DESC NULLS LAST, run_date DESC, run_id DESC, day, campaign_id, cause, model, currency
