-- purpose: store a validated batch of signals; their identifiers are stored apart
-- grain: one signal
-- reads: batch
-- parameters: $file, $inner_pad, $outer_pad, $later_pads
INSERT INTO signals BY NAME
SELECT
    log_day AS day,
    signal_id,
    event_time,
    advertiser_id,
    event_name,
    received_time,
    order_id,
    value,
    currency,
    adjustment,
    ip,
    user_agent,
    screen,
    language,
    country,
    region,
    city,
    timezone,
    url,
    consent,
    keyed_digest('address', address, $inner_pad, $outer_pad, $later_pads) AS address_digest,
    keyed_digest('network', network, $inner_pad, $outer_pad, $later_pads) AS network_digest,
    keyed_digest('site', site, $inner_pad, $outer_pad, $later_pads) AS site_digest,
    network_scope,
    device_key,
    os,
    browser_major,
    is_bot,
    $file AS source_file,
    source_row
FROM batch
