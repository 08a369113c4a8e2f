-- purpose: which models of credit were fitted or refused, on what, why, and what each has credited; no row
--     where no model of the run is fitted
-- grain: one attempt, the newest last
-- reads: credit_models, credits, conversions
-- parameters: none
WITH credited AS (
    SELECT
        credits.model,
        credits.model_version,
        count(DISTINCT credits.conversion_id) AS conversions,
        min(credits.day) AS first_date,
        max(credits.day) AS last_date
    FROM credits
    LEFT JOIN conversions ON conversions.conversion_id = credits.conversion_id
    WHERE credits.model_version IS NOT NULL AND conversions.status IS DISTINCT FROM 'retracted'
    GROUP BY credits.model, credits.model_version
)
SELECT
    credit_models.model,
    credit_models.last_day,
    credit_models.first_day,
    credit_models.status,
    credit_models.reason,
    credit_models.model_version,
    credit_models.histories,
    round(credit_models.conversions, 1) AS conversions,
    round(credit_models.log_loss, 5) AS log_loss,
    round(credit_models.constant_log_loss, 5) AS constant_log_loss,
    round(credit_models.calibration_ratio, 4) AS calibration_ratio,
    round(credit_models.moved, 4) AS moved,
    CASE WHEN credit_models.status = 'accepted' THEN coalesce(credited.conversions, 0) END AS conversions_credited,
    CASE WHEN credit_models.status = 'accepted' THEN credited.first_date END AS first_date_credited,
    CASE WHEN credit_models.status = 'accepted' THEN credited.last_date END AS last_date_credited,
    credit_models.settings,
    credit_models.run_id
FROM credit_models
LEFT JOIN credited
    ON credited.model = credit_models.model
    AND credited.model_version = credit_models.model_version
ORDER BY model, last_day, settings
