-- purpose: let one signal look for candidates by itself
-- grain: the signal, or no row where there is none
-- makes: chosen_signals
-- reads: signals
-- parameters: $signal_id
CREATE OR REPLACE TEMP TABLE chosen_signals AS
SELECT signal_id
FROM signals
WHERE signal_id = $signal_id
