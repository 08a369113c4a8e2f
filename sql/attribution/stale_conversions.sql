-- purpose: the conversions that the affected orders had before, to be replaced whole
-- grain: one conversion
-- makes: stale_conversions
-- reads: conversion_signals, affected_orders
-- parameters: none
CREATE OR REPLACE TEMP TABLE stale_conversions AS
SELECT DISTINCT conversion_signals.conversion_id, conversion_signals.signal_id
FROM conversion_signals
JOIN affected_orders
    ON affected_orders.advertiser_id = conversion_signals.advertiser_id
    AND affected_orders.event_name = conversion_signals.event_name
    AND affected_orders.order_id = conversion_signals.order_id
UNION
SELECT DISTINCT conversion_signals.conversion_id, conversion_signals.signal_id
FROM conversion_signals
JOIN affected_orders ON affected_orders.signal_id = conversion_signals.signal_id
