-- purpose: note that somebody or something was forgotten, without saying who
-- grain: one row
-- reads: nothing
-- parameters: $run_id, $asked, $users_named, $users_removed, $row_counts
INSERT INTO erasures BY NAME
SELECT
    $run_id AS run_id,
    now()::TIMESTAMP AS erased_at,
    $asked AS asked,
    CAST($users_named AS BIGINT) AS users_named,
    CAST($users_removed AS BIGINT) AS users_removed,
    $row_counts AS row_counts
