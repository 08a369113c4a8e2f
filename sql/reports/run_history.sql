-- purpose: what ran, when, how long, with how much memory, and how it ended
-- grain: one stage of one run, the newest last
-- reads: runs
-- parameters: none
SELECT
    date_trunc('second', started_at) AS started_at,
    command,
    stage,
    day,
    status,
    round(seconds, 1) AS seconds,
    rows_in,
    rows_out,
    rows_rejected,
    round(peak_memory_bytes / 1048576) AS peak_memory_mib,
    message,
    run_id,
    adscribe_version
FROM runs
ORDER BY runs.started_at, run_id, stage, day
