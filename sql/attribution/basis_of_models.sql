-- purpose: what the probabilities of calibrated last touch were estimated from: holdout, pooled (holdouts of other
--     campaigns), recency (how soon conversions follow a touch: a weaker estimate, without holdouts)
-- grain: one row; several of them are joined by a plus, null where there are none
-- reads: touch_rates
-- parameters: none
SELECT array_to_string(list_sort(list(DISTINCT basis)), ' + ') AS basis
FROM touch_rates
WHERE campaign_id <> ''
