-- purpose: record every conversion whose credit this run changed
-- grain: one (conversion_id, model) that had credit before and has other credit now, or none
-- reads: old_credits, new_credits
-- parameters: $run_id
INSERT INTO restatements BY NAME
WITH rows_of AS (
    SELECT
        conversion_id, model, 'before' AS side, outcome, user_id, touch_id, campaign_id, credit_micros,
        value_micros
    FROM old_credits
    UNION ALL
    SELECT
        conversion_id, model, 'after' AS side, outcome, user_id, touch_id, campaign_id, credit_micros,
        value_micros
    FROM new_credits
),
sides AS (
    SELECT
        conversion_id,
        model,
        CAST(to_json(list(struct_pack(
            outcome := outcome,
            user_id := user_id,
            touch_id := touch_id,
            campaign_id := campaign_id,
            credit_micros := credit_micros,
            value_micros := value_micros
        ) ORDER BY outcome, user_id, touch_id) FILTER (WHERE side = 'before')) AS VARCHAR) AS before,
        CAST(to_json(list(struct_pack(
            outcome := outcome,
            user_id := user_id,
            touch_id := touch_id,
            campaign_id := campaign_id,
            credit_micros := credit_micros,
            value_micros := value_micros
        ) ORDER BY outcome, user_id, touch_id) FILTER (WHERE side = 'after')) AS VARCHAR) AS after
    FROM rows_of
    GROUP BY conversion_id, model
)
SELECT $run_id AS run_id, conversion_id, model, before, after
FROM sides
WHERE before IS NOT NULL AND before IS DISTINCT FROM after
ORDER BY conversion_id, model
