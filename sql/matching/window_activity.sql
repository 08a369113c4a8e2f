-- purpose: what was seen of users who are no bots, up to the end of one log day: their activity, and the
--     signals that identifiers gave them
-- grain: one observation, or one signal
-- makes: window_activity
-- reads: sightings
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE window_activity AS
SELECT sightings.* EXCLUDE (source, is_bot)
FROM sightings
WHERE sightings.source = 'users'
    AND sightings.day BETWEEN $first_day AND $last_day
    AND sightings.is_bot IS DISTINCT FROM true
