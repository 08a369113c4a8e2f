-- purpose: which model served the log day of one signal, and from which probability on it declares a match
-- grain: the signal, or no row where there is none; rule and the rest are null where none is stored
-- reads: signals, matches, match_thresholds
-- parameters: $signal_id
WITH kept AS (
    SELECT signal_id, min(model_version) AS model_version
    FROM matches
    WHERE signal_id = $signal_id AND method = 'model'
    GROUP BY signal_id
)
SELECT
    signals.is_bot,
    coalesce(kept.model_version, match_thresholds.model_version) AS model_version,
    match_thresholds.rule,
    match_thresholds.target,
    match_thresholds.threshold,
    match_thresholds.held_out,
    match_thresholds.expected_precision
FROM signals
LEFT JOIN kept ON kept.signal_id = signals.signal_id
LEFT JOIN match_thresholds
    ON match_thresholds.day = signals.day AND match_thresholds.advertiser_id = signals.advertiser_id
WHERE signals.signal_id = $signal_id
