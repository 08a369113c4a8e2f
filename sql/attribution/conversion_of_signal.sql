-- purpose: the conversion that one signal belongs to
-- grain: one row, or none where there is no such signal; null for an adjustment of an order not seen
-- reads: conversion_signals
-- parameters: $signal_id
SELECT conversion_id
FROM conversion_signals
WHERE signal_id = $signal_id
