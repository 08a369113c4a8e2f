-- purpose: how many candidates blocking found for each signal, and whether its user is among them
-- grain: one signal
-- reads: judged_signals, candidate_pairs, active_users
-- parameters: none
WITH found AS (
    SELECT
        judged_signals.signal_id,
        count(*) AS candidates,
        max(CASE WHEN candidate_pairs.user_id = judged_signals.true_user THEN 1 ELSE 0 END) = 1 AS has_user
    FROM judged_signals
    JOIN candidate_pairs ON candidate_pairs.signal_id = judged_signals.signal_id
    GROUP BY judged_signals.signal_id
)
SELECT
    judged_signals.signal_id,
    judged_signals.unmatched,
    judged_signals.true_user IS NOT NULL AS of_user,
    coalesce(found.candidates, 0) AS candidates,
    coalesce(found.has_user, false) AS found,
    (SELECT count(*) FROM active_users) AS active_users
FROM judged_signals
LEFT JOIN found ON found.signal_id = judged_signals.signal_id
ORDER BY judged_signals.signal_id
