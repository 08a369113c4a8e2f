-- purpose: matches beside the truth
-- grain: one signal that is both stored and in the truth, and of nobody who was forgotten
-- reads: signals, matches, match_conflicts, truth
-- parameters: none
WITH best AS (
    SELECT signal_id, user_id, method, match_probability, model_version FROM matches WHERE rank = 1
),
conflicting AS (
    SELECT DISTINCT signal_id FROM match_conflicts
)
SELECT
    truth.signal_id,
    truth.user_id IS NOT NULL AS of_user,
    best.method IS DISTINCT FROM 'model'
        AND (best.method IS NOT NULL OR conflicting.signal_id IS NOT NULL) AS identified,
    best.method,
    best.match_probability,
    coalesce(best.user_id = truth.user_id, false) AS correct
FROM truth
JOIN signals ON signals.signal_id = truth.signal_id
LEFT JOIN best ON best.signal_id = truth.signal_id
LEFT JOIN conflicting ON conflicting.signal_id = truth.signal_id
WHERE best.model_version IS DISTINCT FROM 'forgotten'
ORDER BY truth.signal_id
