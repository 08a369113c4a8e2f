-- purpose: the rules of identifiers that differ from those that the warehouse was matched with
-- grain: one rule given or known that has no equal
-- reads: rules, identity_rules
-- parameters: none
SELECT kind FROM (
    (SELECT * FROM rules EXCEPT SELECT * FROM identity_rules)
    UNION ALL
    (SELECT * FROM identity_rules EXCEPT SELECT * FROM rules)
)
ORDER BY kind
