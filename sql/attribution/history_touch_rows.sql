-- purpose: the touches of histories as models read them
-- grain: one touch
-- reads: histories, history_touches
-- parameters: none
SELECT
    histories.history, history_touches.campaign_id, history_touches.kind, history_touches.time_us,
    history_touches.shown
FROM history_touches
JOIN histories
    ON histories.user_id = history_touches.user_id
    AND histories.advertiser_id = history_touches.advertiser_id
