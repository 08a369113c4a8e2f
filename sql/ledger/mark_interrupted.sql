-- purpose: mark the stages of runs that were killed; whoever holds the file knows that none goes on
-- grain: one row
-- reads: runs
-- parameters: none
UPDATE runs
SET status = 'interrupted', message = 'ended before the stage did; nothing of it was kept'
WHERE status = 'running'
