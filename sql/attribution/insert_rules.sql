-- purpose: note the rules that conversions are credited under, the first time they are
-- grain: one version of the rules
-- reads: attribution_rules
-- parameters: $rules_version, $settings, $run_id
INSERT INTO attribution_rules BY NAME
SELECT $rules_version AS rules_version, $settings AS settings, $run_id AS first_run_id
WHERE NOT EXISTS (SELECT 1 FROM attribution_rules WHERE rules_version = $rules_version)
