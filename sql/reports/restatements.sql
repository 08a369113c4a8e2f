-- purpose: whose credit a later run changed, and how
-- grain: one conversion and model of one run, the newest run last
-- reads: restatements
-- parameters: none
SELECT conversion_id, model, before, after, run_id
FROM restatements
ORDER BY run_id, conversion_id, model
