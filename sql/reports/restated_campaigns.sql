-- purpose: which credit and value each campaign won or lost when a run changed what was given before, and
--     what earns it otherwise
-- grain: one run, date of conversions, campaign, cause (null: not kept then), currency of the conversions and
--     model; (organic), (unmatched) and (rejected) stand for what no campaign earns. before: as it stood when
--     the first change of this cause in the run came; moved: all its changes together; after: before + moved.
--     Where credit only went from one touch of a campaign to another there is no row. A conversion without a
--     value counts with the currency of the campaign, (organic) and the like with that of the advertiser
-- reads: restatements, conversions, runs, campaign_currencies, advertiser_currencies
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
moves AS (
    SELECT
        dated.run_id,
        dated.day,
        dated.conversion_id,
        dated.currency,
        dated.advertiser_id,
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
),
placed AS (
    -- a value of nothing, before and after, may stand in any currency
    SELECT
        moves.* EXCLUDE (currency),
        CASE
            WHEN moves.currency IS NOT NULL OR moves.value_before <> 0 OR moves.value_moved <> 0
                THEN moves.currency
            WHEN moves.campaign_id IN ('(organic)', '(unmatched)', '(rejected)')
                THEN advertiser_currencies.currency
            ELSE campaign_currencies.currency
        END AS currency
    FROM moves
    LEFT JOIN campaign_currencies ON campaign_currencies.campaign_id = moves.campaign_id
    LEFT JOIN advertiser_currencies ON advertiser_currencies.advertiser_id = moves.advertiser_id
)
SELECT
    CAST(began.started_at AS DATE) AS run_date,
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
    placed.run_id
FROM placed
LEFT JOIN began ON began.run_id = placed.run_id
GROUP BY ALL
ORDER BY run_date, run_id, day, campaign_id, cause, currency, model
