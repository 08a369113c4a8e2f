-- purpose: matches of signals that are not stored, or stand under another log day
-- grain: one match
-- reads: matches, signals
-- parameters: $first_day, $last_day
SELECT matches.signal_id, matches.user_id
FROM matches
LEFT JOIN signals ON signals.signal_id = matches.signal_id AND signals.day = matches.day
WHERE matches.day BETWEEN $first_day AND $last_day AND signals.signal_id IS NULL
ORDER BY matches.signal_id, matches.user_id
