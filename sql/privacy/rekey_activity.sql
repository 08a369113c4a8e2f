-- purpose: replace the digests of the table activity by their digests under one more secret
-- grain: one stored row
-- reads: activity
-- parameters: $inner_pad, $outer_pad
UPDATE activity
SET
    email_digest = CAST(hmac_128(replace(CAST(email_digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID),
    phone_digest = CAST(hmac_128(replace(CAST(phone_digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID),
    device_digest = CAST(hmac_128(replace(CAST(device_digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID),
    cookie_digest = CAST(hmac_128(replace(CAST(cookie_digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID),
    address_digest = CAST(hmac_128(replace(CAST(address_digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID),
    network_digest = CAST(hmac_128(replace(CAST(network_digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID),
    site_digest = CAST(hmac_128(replace(CAST(site_digest AS VARCHAR), '-', ''), $inner_pad, $outer_pad) AS UUID)
