-- purpose: what one signal says of itself, identifiers aside
-- grain: the signal, or no row where there is none
-- reads: signals, matches, conversion_signals
-- parameters: $signal_id
SELECT
    signals.signal_id,
    signals.day,
    signals.event_time,
    signals.advertiser_id,
    signals.event_name,
    signals.order_id,
    signals.consent,
    signals.source_file,
    signals.source_row,
    matches.user_id,
    matches.method,
    matches.match_probability,
    matches.model_version,
    conversion_signals.conversion_id,
    conversion_signals.role
FROM signals
LEFT JOIN matches ON matches.signal_id = signals.signal_id AND matches.declared
LEFT JOIN conversion_signals ON conversion_signals.signal_id = signals.signal_id
WHERE signals.signal_id = $signal_id
