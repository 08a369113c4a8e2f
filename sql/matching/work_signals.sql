-- purpose: the signals to match: those of one log day, and later ones that its links now speak of
-- grain: one signal
-- makes: work_signals
-- reads: signals, new_links, lost_links
-- parameters: $day
CREATE OR REPLACE TEMP TABLE work_signals AS
WITH changed AS (
    SELECT DISTINCT kind, digest FROM new_links
    UNION
    SELECT DISTINCT kind, digest FROM lost_links
),
later AS (
    SELECT * FROM signals WHERE day > $day
),
identifiers AS (
    SELECT signal_id, 'click_id' AS kind, click_digest AS digest FROM later
    UNION ALL
    SELECT signal_id, 'email' AS kind, email_digest AS digest FROM later
    UNION ALL
    SELECT signal_id, 'phone' AS kind, phone_digest AS digest FROM later
    UNION ALL
    SELECT signal_id, 'device_id' AS kind, device_digest AS digest FROM later
    UNION ALL
    SELECT signal_id, 'cookie_id' AS kind, cookie_digest AS digest FROM later
)
SELECT signal_id FROM signals WHERE day = $day
UNION
SELECT identifiers.signal_id
FROM identifiers
JOIN changed ON changed.kind = identifiers.kind AND changed.digest = identifiers.digest
