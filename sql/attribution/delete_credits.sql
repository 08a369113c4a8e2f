-- purpose: make room for the credit of the conversions at work
-- grain: one credit row
-- reads: credits, old_credits
-- parameters: none
DELETE FROM credits
WHERE conversion_id IN (SELECT conversion_id FROM old_credits)
