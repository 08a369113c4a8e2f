-- purpose: how many users share each token that the signals have
-- grain: one (kind, token)
-- makes: token_users
-- reads: user_tokens
-- parameters: none
CREATE OR REPLACE TEMP TABLE token_users AS
SELECT kind, token, count(*) AS users
FROM user_tokens
GROUP BY kind, token
