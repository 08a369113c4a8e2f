-- purpose: how many signals of each log day show an e-mail or phone that a user is known by
-- grain: one log day
-- reads: signal_identifiers, identity_links
-- parameters: $first_day, $day
SELECT signal_identifiers.day, count(DISTINCT signal_identifiers.signal_id) AS signals
FROM signal_identifiers
JOIN identity_links
    ON identity_links.kind = signal_identifiers.kind
    AND identity_links.digest = signal_identifiers.digest
    AND identity_links.first_day <= signal_identifiers.day
WHERE signal_identifiers.day BETWEEN $first_day AND $day
    AND signal_identifiers.kind IN ('email', 'phone')
    AND identity_links.source = 'activity'
GROUP BY signal_identifiers.day
ORDER BY signal_identifiers.day
