-- purpose: record every conversion whose credit this run changed, and what made it look
-- grain: one (conversion_id, model) that had credit before and has other credit now, or none
-- reads: old_credits, credits, work_conversions
-- parameters: $run_id, $rules_version
INSERT INTO restatements BY NAME
WITH credited AS (
    -- credit of conversions that had none before is new, not restated
    SELECT DISTINCT conversion_id, model FROM old_credits
),
rows_of AS (
    SELECT
        conversion_id, model, 'before' AS side, outcome, user_id, touch_id, campaign_id, credit_micros,
        value_micros, reason, day, rules_version
    FROM old_credits
    UNION ALL
    SELECT
        credits.conversion_id, credits.model, 'after' AS side, credits.outcome, credits.user_id,
        credits.touch_id, credits.campaign_id, credits.credit_micros, credits.value_micros,
        credits.reason, credits.day, credits.rules_version
    FROM credits
    JOIN credited
        ON credited.conversion_id = credits.conversion_id
        AND credited.model = credits.model
),
balances AS (
    SELECT conversion_id, model, sum(CASE WHEN side = 'after' THEN 1 ELSE -1 END) AS balance
    FROM rows_of
    GROUP BY
        conversion_id, model, outcome, user_id, touch_id, campaign_id, credit_micros, value_micros, reason
),
changed AS (
    SELECT DISTINCT conversion_id, model FROM balances WHERE balance <> 0
),
sides AS (
    SELECT
        rows_of.conversion_id,
        rows_of.model,
        coalesce(max(day) FILTER (WHERE side = 'after'), max(day)) AS day,
        max(rules_version) FILTER (WHERE side = 'before') AS rules_before,
        CAST(to_json(list(struct_pack(
            outcome := outcome,
            user_id := user_id,
            touch_id := touch_id,
            campaign_id := campaign_id,
            credit_micros := credit_micros,
            value_micros := value_micros,
            reason := reason
        ) ORDER BY outcome, user_id, touch_id) FILTER (WHERE side = 'before')) AS VARCHAR) AS before,
        CAST(to_json(list(struct_pack(
            outcome := outcome,
            user_id := user_id,
            touch_id := touch_id,
            campaign_id := campaign_id,
            credit_micros := credit_micros,
            value_micros := value_micros,
            reason := reason
        ) ORDER BY outcome, user_id, touch_id) FILTER (WHERE side = 'after')) AS VARCHAR) AS after
    FROM rows_of
    JOIN changed ON changed.conversion_id = rows_of.conversion_id AND changed.model = rows_of.model
    GROUP BY rows_of.conversion_id, rows_of.model
)
SELECT
    $run_id AS run_id,
    sides.conversion_id,
    sides.model,
    sides.before,
    sides.after,
    CASE
        -- a conversion at work has credit under every model of the run
        WHEN sides.after IS NULL AND work_conversions.conversion_id IS NOT NULL THEN 'models'
        WHEN sides.after IS NOT NULL AND sides.rules_before <> $rules_version THEN 'rules'
        ELSE coalesce(work_conversions.cause, 'signals')
    END AS cause,
    sides.day
FROM sides
LEFT JOIN work_conversions ON work_conversions.conversion_id = sides.conversion_id
ORDER BY sides.conversion_id, sides.model
