-- purpose: what ran, when, how long, with how much memory, and how it ended
-- grain: one stage of one run, the newest last
-- reads: runs
-- parameters: none
SELECT
    run_id,
    command,
    stage,
    day,
    status,
    started_at,
    seconds,
    rows_in,
    rows_out,
    rows_rejected,
    round(peak_memory_bytes / 1048576) AS peak_memory_mib,
    adscribe_version,
    message
FROM runs
ORDER BY started_at, run_id, stage, day
