-- purpose: forget which conversions are gone or were made anew, once their credit was taken away: only that of
--     conversions at work is to be taken away from then on
-- grain: one conversion
-- reads: stale_conversions
-- parameters: none
DELETE FROM stale_conversions
