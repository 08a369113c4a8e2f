-- purpose: from which probability on a model's best candidates are declared matches, what precision is
--     expected there, and how many signals reach it
-- grain: one model, advertiser and setting (rule, target)
-- reads: match_thresholds, matches, signals
-- parameters: none
WITH best AS (
    SELECT
        matches.day,
        matches.model_version,
        signals.advertiser_id,
        count(*) AS best_candidates,
        count(*) FILTER (WHERE matches.declared) AS declared,
        sum(matches.match_probability) FILTER (WHERE matches.declared) AS declared_probability
    FROM matches
    JOIN signals ON signals.signal_id = matches.signal_id
    WHERE matches.method = 'model' AND matches.rank = 1
    GROUP BY matches.day, matches.model_version, signals.advertiser_id
)
SELECT
    match_thresholds.model_version,
    match_thresholds.advertiser_id,
    match_thresholds.rule,
    match_thresholds.target,
    match_thresholds.threshold,
    match_thresholds.held_out,
    round(match_thresholds.expected_precision, 4) AS expected_precision,
    count(*) AS days,
    CAST(coalesce(sum(best.best_candidates), 0) AS BIGINT) AS best_candidates,
    CAST(coalesce(sum(best.declared), 0) AS BIGINT) AS declared,
    round(sum(best.declared_probability) / nullif(sum(best.declared), 0), 4) AS mean_probability
FROM match_thresholds
LEFT JOIN best
    ON best.day = match_thresholds.day
    AND best.model_version = match_thresholds.model_version
    AND best.advertiser_id = match_thresholds.advertiser_id
GROUP BY
    match_thresholds.model_version,
    match_thresholds.advertiser_id,
    match_thresholds.rule,
    match_thresholds.target,
    match_thresholds.threshold,
    match_thresholds.held_out,
    match_thresholds.expected_precision
ORDER BY
    match_thresholds.model_version,
    match_thresholds.advertiser_id,
    match_thresholds.rule,
    match_thresholds.target,
    match_thresholds.threshold,
    match_thresholds.held_out
