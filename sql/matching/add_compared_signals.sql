-- purpose: add to the signals at work those that a model compared with what has changed since: activity
--     that was read again, and signals that identifiers gave another user by the end of that log day
-- grain: one signal
-- reads: signals, unlinked_days, match_thresholds, changed_links, signal_identifiers, work_signals
-- parameters: $lookback_days
INSERT INTO work_signals BY NAME
WITH compared AS (
    SELECT DISTINCT day FROM match_thresholds
),
-- a link names signals on the days from its first on, so that it changes between the two first days
moved AS (
    SELECT DISTINCT
        kind,
        digest,
        least(coalesce(known_first_day, first_day), coalesce(first_day, known_first_day)) AS changed_from,
        CASE
            WHEN known_first_day IS NOT NULL AND first_day IS NOT NULL
                THEN greatest(known_first_day, first_day)
        END AS changed_before
    FROM changed_links
    WHERE known_first_day IS DISTINCT FROM first_day
),
named AS (
    SELECT DISTINCT signal_identifiers.day, moved.changed_from, moved.changed_before
    FROM moved
    JOIN signal_identifiers
        ON signal_identifiers.kind = moved.kind AND signal_identifiers.digest = moved.digest
),
outdated AS (
    SELECT compared.day
    FROM compared
    JOIN unlinked_days
        ON compared.day >= unlinked_days.day
        AND compared.day < unlinked_days.day + CAST($lookback_days AS INTEGER)
    WHERE unlinked_days.source = 'activity'
    UNION
    SELECT compared.day
    FROM compared
    JOIN named
        ON compared.day >= named.day
        AND compared.day < named.day + CAST($lookback_days AS INTEGER)
        AND compared.day >= named.changed_from
    WHERE named.changed_before IS NULL OR compared.day < named.changed_before
)
SELECT signals.signal_id
FROM signals
JOIN outdated ON outdated.day = signals.day
LEFT JOIN work_signals ON work_signals.signal_id = signals.signal_id
WHERE work_signals.signal_id IS NULL
