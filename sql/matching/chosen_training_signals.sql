-- purpose: let the signals that a model learns from look for candidates
-- grain: one signal
-- makes: chosen_signals
-- reads: training_signals
-- parameters: none
CREATE OR REPLACE TEMP TABLE chosen_signals AS
SELECT signal_id
FROM training_signals
