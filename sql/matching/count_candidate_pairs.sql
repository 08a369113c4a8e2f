-- purpose: how many users compete for the signals, all together
-- grain: one row
-- reads: candidate_pairs
-- parameters: none
SELECT count(*) AS pairs
FROM candidate_pairs
