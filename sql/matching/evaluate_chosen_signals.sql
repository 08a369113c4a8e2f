-- purpose: the signals by which blocking is judged, as those that look for candidates
-- grain: one signal
-- makes: chosen_signals
-- reads: judged_signals
-- parameters: none
CREATE OR REPLACE TEMP TABLE chosen_signals AS
SELECT signal_id
FROM judged_signals
