-- purpose: hand the log days that were read over to the identity graph
-- grain: one log day and log
-- reads: unlinked_days
-- parameters: $source, $days
INSERT INTO unlinked_days BY NAME
SELECT given.day, $source AS source
FROM (SELECT unnest($days) AS day) AS given
LEFT JOIN unlinked_days ON unlinked_days.day = given.day AND unlinked_days.source = $source
WHERE unlinked_days.day IS NULL
