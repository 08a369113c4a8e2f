-- purpose: the conversions of one order: its id is an advertiser's own, and stands once for each event name
-- grain: one conversion
-- reads: conversions
-- parameters: $order_id
SELECT conversion_id, advertiser_id, event_name, event_time
FROM conversions
WHERE order_id = $order_id
ORDER BY event_time, conversion_id
