-- purpose: how many signals were at work and how many found a user
-- grain: one row
-- reads: work_signals, matches
-- parameters: none
SELECT
    (SELECT count(*) FROM work_signals) AS signals,
    (
        SELECT count(*)
        FROM matches
        JOIN work_signals ON work_signals.signal_id = matches.signal_id
        WHERE matches.declared
    ) AS matched
