-- purpose: store what became of the signals of the affected orders
-- grain: one signal
-- reads: signal_roles
-- parameters: none
INSERT INTO conversion_signals BY NAME
SELECT day, signal_id, conversion_id, role, advertiser_id, event_name, order_id
FROM signal_roles
ORDER BY day, signal_id
