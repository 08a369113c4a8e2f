-- purpose: the sets of tokens that MinHash signatures are made of, one side beside the other; the users'
--     side is split into what each observation showed, so that both sides have sets of like size
-- grain: one signal, or one user and distinct observation
-- makes: band_sets
-- reads: model_signals, window_activity
-- parameters: none
CREATE OR REPLACE TEMP TABLE band_sets AS
WITH looks AS (
    SELECT DISTINCT user_id, address, network, device, device_place, screen, place, language, timezone
    FROM window_activity
    WHERE signal_id IS NULL
)
SELECT
    signal_id,
    CAST(NULL AS VARCHAR) AS user_id,
    address,
    network,
    device,
    device_place,
    screen,
    place,
    language,
    timezone
FROM model_signals
UNION ALL
SELECT
    NULL AS signal_id,
    user_id,
    address,
    network,
    device,
    device_place,
    screen,
    place,
    language,
    timezone
FROM looks
