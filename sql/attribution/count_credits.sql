-- purpose: how many signals were worked out and how many credit rows came of them
-- grain: one row
-- reads: order_signals, new_credits
-- parameters: none
SELECT
    (SELECT count(*) FROM order_signals) AS signals,
    (SELECT count(*) FROM new_credits) AS credit_rows
