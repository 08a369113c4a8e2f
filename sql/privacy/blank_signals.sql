-- purpose: blank whatever tells of a person in the signals of who is forgotten
-- grain: one signal
-- reads: signals, forgotten_signals
-- parameters: none
UPDATE signals
SET
    ip = NULL,
    user_agent = NULL,
    device_key = NULL,
    os = NULL,
    browser_major = NULL,
    screen = NULL,
    language = NULL,
    region = NULL,
    city = NULL,
    timezone = NULL,
    url = NULL,
    address_digest = NULL,
    network_digest = NULL,
    site_digest = NULL,
    -- whether it came from a data centre decides credit, and tells of nobody
    network_scope = CASE WHEN network_scope = 'data_centre' THEN network_scope END
WHERE signal_id IN (SELECT signal_id FROM forgotten_signals)
