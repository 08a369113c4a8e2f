-- purpose: replace the digests of the table touchpoints by their digests under one more secret
-- grain: one stored row
-- reads: touchpoints
-- parameters: $inner_pad, $outer_pad
UPDATE touchpoints
SET
    click_digest = CAST(hmac_128(replace(CAST(click_digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID)
WHERE click_digest IS NOT NULL
