-- purpose: note that every log day stands in the links
-- grain: one log day
-- reads: unlinked_days
-- parameters: none
DELETE FROM unlinked_days
