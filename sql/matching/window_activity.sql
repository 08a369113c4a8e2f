-- purpose: what was seen of users who are no bots, up to the end of one log day: their activity, and the
--     signals that identifiers gave them
-- grain: one observation, or one signal
-- makes: window_activity
-- reads: sightings, identified_signals
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE window_activity AS
SELECT
    sightings.* EXCLUDE (source, is_bot, user_id),
    coalesce(identified_signals.user_id, sightings.user_id) AS user_id
FROM sightings
LEFT JOIN identified_signals ON identified_signals.signal_id = sightings.signal_id
WHERE sightings.day BETWEEN $first_day AND $last_day
    AND sightings.is_bot IS DISTINCT FROM true
    AND (sightings.source = 'activity' OR identified_signals.user_id IS NOT NULL)
