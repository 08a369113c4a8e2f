-- purpose: the signals that one conversion was made of
-- grain: one signal
-- reads: conversion_signals, signals, matches
-- parameters: $conversion_id
SELECT
    conversion_signals.signal_id,
    conversion_signals.role,
    signals.event_time,
    matches.user_id,
    matches.method,
    matches.match_probability
FROM conversion_signals
JOIN signals ON signals.signal_id = conversion_signals.signal_id
LEFT JOIN matches ON matches.signal_id = conversion_signals.signal_id AND matches.declared
WHERE conversion_signals.conversion_id = $conversion_id
ORDER BY signals.event_time, conversion_signals.signal_id
