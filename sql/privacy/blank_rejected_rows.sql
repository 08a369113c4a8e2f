-- purpose: empty the refused rows that hold the id of who is forgotten, or are a signal of theirs; of
--     somebody nothing else is known of, those only whose user_id it is, as any word may be an id
-- grain: one refused row
-- reads: rejected_rows, forgotten_signals
-- parameters: $user_id, $forms (the id as JSON and CSV write it), $is_known
UPDATE rejected_rows
SET content = '{}'
WHERE json_valid(content)
    AND (
        json_extract_string(content, '$.user_id') = $user_id
        OR (
            $is_known
            AND (
                list_has_any(json_extract_string(content, '$.*'), CAST($forms AS VARCHAR[]))
                OR regexp_matches(
                    json_extract_string(content, '$.line'),
                    '(^|\W)(' || (
                        SELECT string_agg(regexp_escape(form), '|')
                        FROM unnest(CAST($forms AS VARCHAR[])) AS forms (form)
                    ) || ')(\W|$)'
                )
                OR (
                    table_name = 'signals'
                    AND json_extract_string(content, '$.signal_id') IN (
                        SELECT signal_id FROM forgotten_signals
                    )
                )
            )
        )
    )
