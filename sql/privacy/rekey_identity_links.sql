-- purpose: replace the digests of the table identity_links by their digests under one more secret
-- grain: one stored row
-- reads: identity_links
-- parameters: $inner_pad, $outer_pad
UPDATE identity_links
SET
    digest = CAST(hmac_128(replace(CAST(digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID)
WHERE digest IS NOT NULL
