-- purpose: how many conversions each campaign caused on the log days that the newest model incremental was
--     fitted on, of users known by an identifier other than a click id, with 90% intervals, and what its credit
--     sums to in the same paths: less than incremental where that is near all conversions after the campaign's
--     touches. correction: the part of the hazard's credit that became organic (below 0), or of what was organic
--     after the campaign's touches that became its credit (above 0). basis: holdout, pooled (ads of other campaigns withheld), or none (no
--     ads withheld, or too few conversions after them: a weaker estimate, whose interval does not tell of the
--     form that it takes for granted)
-- grain: one campaign, and (all); no row where no such model was accepted yet
-- reads: credit_models, campaign_effects
-- parameters: none
WITH newest AS (
    SELECT model_version, first_day, last_day
    FROM credit_models
    WHERE model = 'incremental' AND status = 'accepted'
    ORDER BY last_day DESC, model_version
    LIMIT 1
)
SELECT
    coalesce(campaign_effects.campaign_id, '(all)') AS campaign_id,
    round(campaign_effects.incremental, 2) AS incremental,
    -- Student's t for the 20 draws of the bootstrap (attribution/learned/caused.py); draws that are all alike,
    -- such as of nothing caused, tell no limits
    CASE
        WHEN campaign_effects.standard_error > 0
            THEN round(
                greatest(campaign_effects.incremental - 1.729133 * campaign_effects.standard_error, 0), 2
            )
    END AS low_90,
    CASE
        WHEN campaign_effects.standard_error > 0
            THEN round(campaign_effects.incremental + 1.729133 * campaign_effects.standard_error, 2)
    END AS high_90,
    round(campaign_effects.credited, 2) AS credited,
    round(campaign_effects.correction, 3) AS correction,
    campaign_effects.basis,
    round(campaign_effects.standard_error, 2) AS standard_error,
    newest.first_day,
    newest.last_day,
    newest.model_version
FROM newest
JOIN campaign_effects
    ON campaign_effects.model = 'incremental'
    AND campaign_effects.model_version = newest.model_version
ORDER BY campaign_effects.campaign_id NULLS LAST
