-- purpose: note that a stage has begun
-- grain: one row
-- reads: nothing
-- parameters: $run_id, $command, $stage, $day, $started_at, $adscribe_version, $config_json
INSERT INTO runs BY NAME
SELECT
    $run_id AS run_id,
    $command AS command,
    $stage AS stage,
    CAST($day AS DATE) AS day,
    'running' AS status,
    CAST($started_at AS TIMESTAMP) AS started_at,
    $adscribe_version AS adscribe_version,
    $config_json AS config_json
