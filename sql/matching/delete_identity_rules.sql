-- purpose: make room for other rules
-- grain: one kind of identifier
-- reads: identity_rules
-- parameters: none
DELETE FROM identity_rules
