-- purpose: the conversions of histories as models read them
-- grain: one conversion of one user
-- reads: histories, history_conversions
-- parameters: none
SELECT
    histories.history, history_conversions.time_us, history_conversions.probability,
    history_conversions.value
FROM history_conversions
JOIN histories
    ON histories.user_id = history_conversions.user_id
    AND histories.advertiser_id = history_conversions.advertiser_id
