-- purpose: the users for whom the identifiers of the signals at work speak, crowded ones left out
-- grain: one (signal_id, method, user_id)
-- makes: spoken_links
-- reads: carried_values, spoken_values, crowded_values
-- parameters: none
CREATE OR REPLACE TEMP TABLE spoken_links AS
SELECT
    carried_values.day,
    carried_values.signal_id,
    carried_values.method,
    spoken_values.user_id,
    spoken_values.scope
FROM carried_values
JOIN spoken_values
    ON spoken_values.day = carried_values.day
    AND spoken_values.method = carried_values.method
    AND spoken_values.digests = carried_values.digests
LEFT JOIN crowded_values
    ON crowded_values.day = carried_values.day
    AND crowded_values.method = carried_values.method
    AND crowded_values.digests = carried_values.digests
WHERE crowded_values.users IS NULL
