-- purpose: note that the signals handed over by matching have their credit
-- grain: one signal
-- reads: pending_signals
-- parameters: none
DELETE FROM pending_signals
