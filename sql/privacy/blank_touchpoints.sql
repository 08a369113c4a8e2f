-- purpose: blank the click ids that are removed on the touchpoints of whoever showed them
-- grain: one stored row
-- reads: touchpoints, removed_identifiers
-- parameters: none
UPDATE touchpoints
SET click_digest = NULL
WHERE click_digest IN (SELECT digest FROM removed_identifiers WHERE kind = 'click_id')
