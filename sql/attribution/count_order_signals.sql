-- purpose: how many signals one log day brought to be worked out
-- grain: one row
-- reads: order_signals
-- parameters: none
SELECT count(*) AS signals
FROM order_signals
