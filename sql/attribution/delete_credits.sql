-- purpose: make room for the credit of the conversions at work under the same models
-- grain: one credit row
-- reads: credits, old_credits
-- parameters: none
DELETE FROM credits
WHERE (conversion_id, model) IN (SELECT conversion_id, model FROM old_credits)
