-- purpose: signals of one log day whose e-mail or phone just one user is known by: a truth of a kind
-- grain: one signal
-- reads: signal_identifiers, identity_links
-- parameters: $day
SELECT signal_identifiers.signal_id, min(identity_links.user_id) AS user_id
FROM signal_identifiers
JOIN identity_links
    ON identity_links.kind = signal_identifiers.kind
    AND identity_links.digest = signal_identifiers.digest
WHERE signal_identifiers.day = $day
    AND signal_identifiers.kind IN ('email', 'phone')
    AND identity_links.source = 'activity'
    AND identity_links.first_day <= $day
GROUP BY signal_identifiers.signal_id
HAVING count(DISTINCT identity_links.user_id) = 1
ORDER BY signal_identifiers.signal_id
