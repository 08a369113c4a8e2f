-- purpose: the signals to match: those of one log day, and all where the rules have changed
-- grain: one signal
-- makes: work_signals
-- reads: signals
-- parameters: $day, $all
CREATE OR REPLACE TEMP TABLE work_signals AS
SELECT signal_id
FROM signals
WHERE day = $day OR $all
