-- purpose: the values that more users share than the rule lets them
-- grain: one (day, method, digests)
-- makes: crowded_values
-- reads: spoken_values, identity_rules
-- parameters: none
CREATE OR REPLACE TEMP TABLE crowded_values AS
SELECT spoken_values.day, spoken_values.method, spoken_values.digests, count(*) AS users
FROM spoken_values
JOIN identity_rules ON identity_rules.kind = spoken_values.method
GROUP BY
    spoken_values.day, spoken_values.method, spoken_values.digests, identity_rules.most_users
HAVING count(*) > identity_rules.most_users
