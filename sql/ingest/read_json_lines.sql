-- purpose: the wanted values of each line of a JSON lines file as text
-- grain: one line; values in the order of $pointers, null where the key is absent
-- reads: $file
-- parameters: $file, $pointers
WITH lines AS (
    SELECT line
    FROM read_csv(
        $file,
        columns = {'line': 'VARCHAR'},
        delim = chr(1),
        auto_detect = false,
        hive_partitioning = false,
        header = false,
        quote = '',
        escape = '',
        store_rejects = true,
        rejects_limit = 0,
        rejects_table = 'unreadable',
        rejects_scan = 'unreadable_scans'
    )
),
judged AS (
    SELECT
        coalesce(line, '') AS line,
        CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END AS is_object
    FROM lines
)
SELECT
    line,
    is_object,
    CASE WHEN is_object THEN json_extract_string(line, $pointers) END AS texts
FROM judged
