-- purpose: store a validated batch of touchpoints, click ids as keyed digests
-- grain: one touchpoint
-- reads: batch
-- parameters: $file, $inner_pad, $outer_pad, $later_pads
INSERT INTO touchpoints BY NAME
SELECT
    log_day AS day,
    touch_id,
    event_time,
    user_id,
    kind,
    advertiser_id,
    campaign_id,
    ad_id,
    surface,
    creator_id,
    keyed_digest('click_id', click_id, $inner_pad, $outer_pad, $later_pads) AS click_digest,
    cost,
    currency,
    arm,
    $file AS source_file,
    source_row
FROM batch
