-- purpose: replace the digests of the table signals by their digests under one more secret
-- grain: one stored row
-- reads: signals
-- parameters: $inner_pad, $outer_pad
UPDATE signals
SET
    address_digest = CAST(hmac_128(replace(CAST(address_digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID),
    network_digest = CAST(hmac_128(replace(CAST(network_digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID),
    site_digest = CAST(hmac_128(replace(CAST(site_digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID)
