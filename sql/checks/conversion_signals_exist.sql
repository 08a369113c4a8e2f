-- purpose: outcomes of signals that are not stored
-- grain: one signal
-- reads: conversion_signals, signals
-- parameters: $first_day, $last_day
SELECT conversion_signals.signal_id
FROM conversion_signals
LEFT JOIN signals ON signals.signal_id = conversion_signals.signal_id
WHERE conversion_signals.day BETWEEN $first_day AND $last_day AND signals.signal_id IS NULL
ORDER BY conversion_signals.signal_id
