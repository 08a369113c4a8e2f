-- purpose: the records of a delimited text file as text, unreadable ones set aside
-- grain: one record
-- reads: $file
-- parameters: $file, $columns, $delimiter
SELECT *
FROM read_csv(
    $file,
    columns = $columns,
    delim = $delimiter,
    auto_detect = false,
    hive_partitioning = false, -- a costs file has a column called date itself
    header = true,
    quote = '"',
    escape = '"',
    store_rejects = true,
    rejects_limit = 0,
    rejects_table = 'unreadable',
    rejects_scan = 'unreadable_scans'
)
