-- purpose: the signals that one log day brings or takes away, or that were matched anew
-- grain: one signal
-- makes: touched_signals
-- reads: pending_signals, signals, conversion_signals
-- parameters: $day
CREATE OR REPLACE TEMP TABLE touched_signals AS
WITH mentioned AS (
    SELECT signal_id, false AS of_the_day FROM pending_signals
    UNION ALL
    SELECT signal_id, true AS of_the_day FROM signals WHERE day = $day
    UNION ALL
    SELECT signal_id, true AS of_the_day FROM conversion_signals WHERE day = $day
)
SELECT signal_id, max(of_the_day) AS of_the_day
FROM mentioned
GROUP BY signal_id
