-- purpose: how many signals were at work and how many found a user
-- grain: one row
-- reads: work_signals, winners
-- parameters: none
SELECT
    (SELECT count(*) FROM work_signals) AS signals,
    (SELECT count(*) FROM winners WHERE NOT vetoed) AS matched
