-- purpose: signals whose match probabilities are out of range, sum above 1 or have no best, or of
--     which another than the best is declared
-- grain: one signal
-- reads: matches
-- parameters: $first_day, $last_day
SELECT signal_id, sum(match_probability) AS total
FROM matches
WHERE day BETWEEN $first_day AND $last_day
GROUP BY signal_id
HAVING sum(match_probability) > 1 + 1e-9
    OR min(match_probability) < 0
    OR count(*) <> count(DISTINCT user_id)
    OR max(rank) <> count(*)
    OR min(rank) <> 1
    OR bool_or(declared AND rank <> 1)
ORDER BY signal_id
