-- purpose: the candidates of one signal that a model kept
-- grain: one user, the likeliest first
-- reads: matches
-- parameters: $signal_id
SELECT user_id, rank, match_probability AS kept_probability, declared
FROM matches
WHERE signal_id = $signal_id AND method = 'model'
ORDER BY rank
