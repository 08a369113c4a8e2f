-- purpose: store what the conversions whose paths were found anew tell of causes
-- grain: one (conversion_id, role, campaign_id, kind)
-- reads: new_holdouts
-- parameters: none
INSERT INTO holdout_conversions BY NAME
SELECT conversion_id, day, user_id, role, campaign_id, kind, recency, path, touch_day
FROM new_holdouts
ORDER BY day, conversion_id, role, campaign_id, kind
