-- purpose: store the rules that the warehouse is matched with
-- grain: one kind of identifier
-- reads: rules
-- parameters: none
INSERT INTO identity_rules BY NAME
SELECT kind, priority, ttl_days, most_users, most_identifiers, is_unique
FROM rules
ORDER BY priority
