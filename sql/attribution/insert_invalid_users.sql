-- purpose: store the invalid users who changed
-- grain: one user
-- reads: invalid_observers, changed_invalid_users
-- parameters: none
INSERT INTO invalid_users BY NAME
SELECT invalid_observers.user_id, invalid_observers.reason
FROM invalid_observers
JOIN changed_invalid_users ON changed_invalid_users.user_id = invalid_observers.user_id
ORDER BY invalid_observers.user_id
