-- purpose: the rules that one conversion was credited under, and by which models
-- grain: one version of the rules (null: of before rules had versions), the settings null where they were
--     not kept
-- reads: credits, attribution_rules
-- parameters: $conversion_id
WITH versions AS (
    SELECT DISTINCT model, rules_version FROM credits WHERE conversion_id = $conversion_id
)
SELECT
    versions.rules_version,
    list(versions.model ORDER BY versions.model) AS models,
    min(attribution_rules.settings) AS settings
FROM versions
LEFT JOIN attribution_rules ON attribution_rules.rules_version = versions.rules_version
GROUP BY versions.rules_version
ORDER BY versions.rules_version
