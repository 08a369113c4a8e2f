-- purpose: the signals of the user who is forgotten
-- grain: one signal
-- makes: forgotten_signals
-- reads: matches
-- parameters: $user_id (null: none)
CREATE OR REPLACE TEMP TABLE forgotten_signals AS
SELECT signal_id
FROM matches
WHERE user_id = $user_id AND rank = 1
