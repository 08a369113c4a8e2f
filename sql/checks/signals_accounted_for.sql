-- purpose: signals that are not in exactly one conversion or adjustment
-- grain: one signal
-- reads: signals, conversion_signals
-- parameters: $first_day, $last_day
WITH counted AS (
    SELECT signals.signal_id, count(conversion_signals.signal_id) AS places
    FROM signals
    LEFT JOIN conversion_signals ON conversion_signals.signal_id = signals.signal_id
    WHERE signals.day BETWEEN $first_day AND $last_day
    GROUP BY signals.signal_id
)
SELECT signal_id, places
FROM counted
WHERE places <> 1
ORDER BY signal_id
