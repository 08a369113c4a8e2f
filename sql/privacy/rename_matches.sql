-- purpose: give the matches of one user to a name that stands for nobody; the mark keeps them when
--     a day is matched again (sql/matching/delete_matches.sql)
-- grain: one match
-- reads: matches
-- parameters: $user_id, $pseudonym
UPDATE matches
SET
    user_id = $pseudonym,
    model_version = CASE WHEN declared THEN 'forgotten' ELSE model_version END
WHERE user_id = $user_id
