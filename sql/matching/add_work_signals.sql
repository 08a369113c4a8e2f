-- purpose: add to the signals at work those on whose day an identifier of theirs speaks otherwise
-- grain: one signal
-- reads: signal_identifiers, moved_links, work_signals
-- parameters: none
INSERT INTO work_signals BY NAME
WITH judged AS (
    SELECT
        signal_identifiers.signal_id,
        coalesce(signal_identifiers.day BETWEEN moved_links.known_from AND moved_links.known_until, false)
            AS spoke,
        coalesce(signal_identifiers.day BETWEEN moved_links.speaks_from AND moved_links.speaks_until, false)
            AS speaks
    FROM signal_identifiers
    JOIN moved_links
        ON moved_links.kind = signal_identifiers.kind
        AND moved_links.digest = signal_identifiers.digest
)
SELECT DISTINCT judged.signal_id
FROM judged
LEFT JOIN work_signals ON work_signals.signal_id = judged.signal_id
WHERE judged.spoke <> judged.speaks AND work_signals.signal_id IS NULL
