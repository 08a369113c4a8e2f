-- purpose: by which settings conversions were credited, since when, and how many still stand so
-- grain: one version of the rules, the oldest first; null: credited before rules had versions
-- reads: attribution_rules, runs, credits
-- parameters: none
WITH credited AS (
    SELECT
        rules_version,
        count(DISTINCT conversion_id) AS conversions,
        min(day) AS first_day,
        max(day) AS last_day
    FROM credits
    GROUP BY rules_version
),
began AS (
    SELECT run_id, min(started_at) AS started_at FROM runs GROUP BY run_id
)
SELECT
    coalesce(attribution_rules.rules_version, credited.rules_version) AS rules_version,
    date_trunc('second', began.started_at) AS since,
    attribution_rules.first_run_id,
    coalesce(credited.conversions, 0) AS conversions,
    credited.first_day,
    credited.last_day,
    attribution_rules.settings
FROM attribution_rules
FULL JOIN credited ON credited.rules_version = attribution_rules.rules_version
LEFT JOIN began ON began.run_id = attribution_rules.first_run_id
ORDER BY since NULLS FIRST, rules_version NULLS FIRST
