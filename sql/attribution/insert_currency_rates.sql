-- purpose: store the user's table of rates
-- grain: one currency and date
-- reads: rates
-- parameters: none
INSERT INTO currency_rates BY NAME
SELECT date, currency, rate
FROM rates
ORDER BY currency, date
