-- purpose: the users who became invalid, are so no more, or are so for another reason
-- grain: one user
-- makes: changed_invalid_users
-- reads: invalid_users, invalid_observers
-- parameters: none
CREATE OR REPLACE TEMP TABLE changed_invalid_users AS
SELECT coalesce(invalid_observers.user_id, invalid_users.user_id) AS user_id
FROM invalid_observers
FULL JOIN invalid_users ON invalid_users.user_id = invalid_observers.user_id
WHERE invalid_users.reason IS DISTINCT FROM invalid_observers.reason
    -- what a forgotten user did is gone, what he was stays
    AND NOT (invalid_observers.user_id IS NULL AND starts_with(invalid_users.user_id, 'forgotten-'))
