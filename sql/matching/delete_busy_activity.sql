-- purpose: keep the newest sightings of users of whom there are very many, so that no user costs more
-- grain: one sighting
-- reads: window_activity
-- parameters: $most
DELETE FROM window_activity
WHERE rowid IN (
    SELECT placed.sighting
    FROM (
        SELECT
            window_activity.rowid AS sighting,
            row_number() OVER (
                PARTITION BY window_activity.user_id
                ORDER BY
                    window_activity.signal_id IS NULL,
                    window_activity.time_us DESC,
                    hash(window_activity.address, window_activity.agent, window_activity.screen),
                    window_activity.signal_id
            ) AS place
        FROM window_activity
        JOIN (
            SELECT user_id FROM window_activity GROUP BY user_id HAVING count(*) > $most
        ) AS busy ON busy.user_id = window_activity.user_id
    ) AS placed
    WHERE placed.place > $most
)
