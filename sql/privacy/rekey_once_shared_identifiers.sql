-- purpose: replace the digests of the table once_shared_identifiers by their digests under one more secret
-- grain: one stored row
-- reads: once_shared_identifiers
-- parameters: $inner_pad, $outer_pad
UPDATE once_shared_identifiers
SET
    digest = CAST(hmac_128(replace(CAST(digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID)
WHERE digest IS NOT NULL
