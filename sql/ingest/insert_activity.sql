-- purpose: store a validated batch of activity, identifiers as keyed digests
-- grain: one observation
-- reads: batch
-- parameters: $inner_pad, $outer_pad
INSERT INTO activity BY NAME
SELECT
    log_day AS day,
    user_id,
    event_time,
    ip,
    user_agent,
    screen,
    language,
    country,
    region,
    city,
    timezone,
    keyed_digest('email', lower(email_sha256), $inner_pad, $outer_pad) AS email_digest,
    keyed_digest('phone', lower(phone_sha256), $inner_pad, $outer_pad) AS phone_digest,
    keyed_digest('device_id', usable_id(device_id), $inner_pad, $outer_pad) AS device_digest,
    keyed_digest('cookie_id', usable_id(cookie_id), $inner_pad, $outer_pad) AS cookie_digest
FROM batch
