-- purpose: the advertisers of the signals that look for candidates
-- grain: one advertiser
-- reads: model_signals
-- parameters: none
SELECT DISTINCT advertiser_id
FROM model_signals
ORDER BY advertiser_id
