-- purpose: how many sets each side has
-- grain: one row
-- reads: band_sets
-- parameters: none
SELECT count(signal_id) AS of_signals, count(user_id) AS of_users
FROM band_sets
