-- purpose: empty the refused rows that hold the id of who is forgotten, or are a signal of theirs
-- grain: one refused row
-- reads: rejected_rows, forgotten_signals
-- parameters: $user_id
UPDATE rejected_rows
SET content = '{}'
WHERE json_valid(content)
    AND (
        list_contains(json_extract_string(content, '$.*'), $user_id)
        OR regexp_matches(
            json_extract_string(content, '$.line'),
            '(^|\W)' || regexp_escape($user_id) || '(\W|$)'
        )
        OR (
            table_name = 'signals'
            AND json_extract_string(content, '$.signal_id') IN (SELECT signal_id FROM forgotten_signals)
        )
    )
