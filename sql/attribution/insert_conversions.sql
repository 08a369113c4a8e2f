-- purpose: store the conversions of the affected orders
-- grain: one conversion
-- reads: new_conversions
-- parameters: none
INSERT INTO conversions BY NAME
SELECT
    conversion_id, day, advertiser_id, event_name, order_id, event_time, value, currency, status
FROM new_conversions
ORDER BY event_time, conversion_id
