-- purpose: credit rows whose outcome contradicts their touch or user, or that stand twice
-- grain: one (conversion_id, model, outcome, user_id, touch_id)
-- reads: credits
-- parameters: $first_day, $last_day
SELECT conversion_id, model, outcome, user_id, touch_id
FROM credits
WHERE day BETWEEN $first_day AND $last_day
GROUP BY conversion_id, model, outcome, user_id, touch_id
HAVING count(*) > 1
    OR outcome NOT IN ('touch', 'organic', 'unmatched', 'rejected')
    OR (outcome = 'touch') <> (touch_id IS NOT NULL)
    OR (outcome = 'unmatched' AND user_id IS NOT NULL)
    OR (outcome = 'organic' AND user_id IS NULL)
ORDER BY conversion_id, model, outcome, user_id, touch_id
