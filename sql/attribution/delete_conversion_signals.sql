-- purpose: make room for the signals of the affected orders
-- grain: one signal
-- reads: conversion_signals, stale_conversions
-- parameters: none
DELETE FROM conversion_signals
WHERE signal_id IN (SELECT signal_id FROM stale_conversions)
