-- purpose: the signals of the users who are forgotten
-- grain: one signal
-- makes: forgotten_signals
-- reads: matches
-- parameters: $user_ids
CREATE OR REPLACE TEMP TABLE forgotten_signals AS
SELECT signal_id
FROM matches
WHERE list_contains(CAST($user_ids AS VARCHAR[]), user_id) AND declared
