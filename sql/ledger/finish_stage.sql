-- purpose: note how a stage has ended
-- grain: one row
-- reads: runs
-- parameters: $run_id, $stage, $day, $status, $finished_at, $seconds, $rows_in, $rows_out,
--     $rows_rejected, $peak_memory_bytes, $message
UPDATE runs
SET
    status = $status,
    finished_at = $finished_at,
    seconds = $seconds,
    rows_in = $rows_in,
    rows_out = $rows_out,
    rows_rejected = $rows_rejected,
    peak_memory_bytes = $peak_memory_bytes,
    message = $message
WHERE run_id = $run_id
    AND stage = $stage
    AND day IS NOT DISTINCT FROM CAST($day AS DATE)
    AND status = 'running'
