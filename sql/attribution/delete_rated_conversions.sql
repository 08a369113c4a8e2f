-- purpose: take the conversions out of work again that were added for the probabilities of their week alone
-- grain: one conversion
-- reads: work_conversions
-- parameters: none
DELETE FROM work_conversions
WHERE cause = 'rates'
