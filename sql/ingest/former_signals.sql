-- purpose: remember which signals some log days had before they are read again
-- grain: one signal
-- makes: former_signals
-- reads: signals
-- parameters: $days
CREATE OR REPLACE TEMP TABLE former_signals AS
SELECT signal_id
FROM signals
WHERE array_contains($days, day)
