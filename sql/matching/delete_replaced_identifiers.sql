-- purpose: note that the links of every replaced identifier have been counted anew
-- grain: one identifier
-- reads: replaced_identifiers
-- parameters: none
DELETE FROM replaced_identifiers
