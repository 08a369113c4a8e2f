-- purpose: the first line of a text file that can be read
-- grain: one line
-- reads: $file
-- parameters: $file
SELECT line
FROM read_csv(
    $file,
    columns = {'line': 'VARCHAR'},
    delim = chr(1),
    auto_detect = false,
    header = false,
    quote = '',
    escape = '',
    ignore_errors = true
)
LIMIT 1
