-- purpose: the tokens of the signals that look for candidates
-- grain: one signal
-- makes: model_signals
-- reads: sightings, chosen_signals
-- parameters: $day
CREATE OR REPLACE TEMP TABLE model_signals AS
SELECT
    sightings.* EXCLUDE (source, user_id, is_bot, email_digest, phone_digest, purchase),
    -- of a signal without consent nothing is kept that tells a person; its order must not tell one
    CASE WHEN sightings.address IS NOT NULL OR sightings.agent IS NOT NULL THEN sightings.purchase END
        AS purchase
FROM sightings
JOIN chosen_signals ON chosen_signals.signal_id = sightings.signal_id
WHERE sightings.source = 'signals' AND sightings.day = $day
