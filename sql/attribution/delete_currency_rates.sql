-- purpose: make room for the newest table of rates
-- grain: one rate
-- reads: currency_rates
-- parameters: none
DELETE FROM currency_rates
