-- purpose: the signals that one log day brings or takes away, or that were matched anew
-- grain: one signal
-- makes: touched_signals
-- reads: pending_signals, signals, conversion_signals
-- parameters: $day
CREATE OR REPLACE TEMP TABLE touched_signals AS
SELECT signal_id FROM pending_signals
UNION
SELECT signal_id FROM signals WHERE day = $day
UNION
SELECT signal_id FROM conversion_signals WHERE day = $day
