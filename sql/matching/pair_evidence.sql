-- purpose: what each candidate pair shares: how often, on how many days, how long apart at least
-- grain: one (signal_id, user_id)
-- makes: pair_evidence
-- reads: candidate_pairs, model_signals, window_activity
-- parameters: $parts, $part (of the signals)
CREATE OR REPLACE TEMP TABLE pair_evidence AS
SELECT
    candidate_pairs.signal_id,
    candidate_pairs.user_id,
    count(*) FILTER (WHERE seen.address = model_signals.address) AS address_count,
    count(*) FILTER (WHERE seen.network = model_signals.network) AS network_count,
    count(*) FILTER (WHERE seen.site = model_signals.site) AS site_count,
    count(*) FILTER (WHERE seen.device = model_signals.device) AS device_count,
    count(*) FILTER (WHERE seen.agent = model_signals.agent) AS agent_count,
    count(*) FILTER (WHERE seen.screen = model_signals.screen) AS screen_count,
    count(*) FILTER (WHERE seen.network_device = model_signals.network_device) AS network_device_count,
    count(*) FILTER (WHERE seen.network_screen = model_signals.network_screen) AS network_screen_count,
    count(*) FILTER (WHERE seen.address_device = model_signals.address_device) AS address_device_count,
    count(*) FILTER (WHERE seen.agent_place = model_signals.agent_place) AS agent_place_count,
    count(*) FILTER (WHERE seen.device_place = model_signals.device_place) AS device_place_count,
    count(*) FILTER (WHERE seen.place = model_signals.place) AS place_count,
    count(*) FILTER (WHERE seen.language = model_signals.language) AS language_count,
    count(*) FILTER (WHERE seen.timezone = model_signals.timezone) AS timezone_count,
    count(*) FILTER (WHERE seen.week_part = model_signals.week_part) AS week_part_count,
    count(*) FILTER (WHERE seen.purchase = model_signals.purchase) AS purchase_count,
    count(*) FILTER (WHERE seen.system = model_signals.system) AS system_count,
    count(*) FILTER (WHERE seen.form = model_signals.form) AS form_count,
    bit_count(bit_or(seen.day_bit) FILTER (WHERE seen.address = model_signals.address)) AS address_days,
    bit_count(bit_or(seen.day_bit) FILTER (WHERE seen.network = model_signals.network)) AS network_days,
    bit_count(bit_or(seen.day_bit) FILTER (WHERE seen.device = model_signals.device)) AS device_days,
    bit_count(bit_or(seen.day_bit) FILTER (WHERE seen.address_device = model_signals.address_device)) AS address_device_days,
    bit_count(bit_or(seen.day_bit) FILTER (WHERE seen.network_screen = model_signals.network_screen)) AS network_screen_days,
    min(abs(seen.time_us - model_signals.time_us)) FILTER (WHERE seen.address = model_signals.address)
        AS address_gap_us,
    min(abs(seen.time_us - model_signals.time_us)) FILTER (WHERE seen.network = model_signals.network)
        AS network_gap_us,
    min(abs(seen.time_us - model_signals.time_us)) FILTER (WHERE seen.device = model_signals.device)
        AS device_gap_us,
    min(abs(seen.time_us - model_signals.time_us)) FILTER (WHERE seen.address_device = model_signals.address_device)
        AS address_device_gap_us,
    min(abs(seen.time_us - model_signals.time_us)) FILTER (WHERE seen.network_screen = model_signals.network_screen)
        AS network_screen_gap_us,
    min(abs(seen.time_us - model_signals.time_us)) FILTER (WHERE seen.network_device = model_signals.network_device)
        AS network_device_gap_us,
    min(abs(seen.time_us - model_signals.time_us)) FILTER (WHERE seen.agent_place = model_signals.agent_place)
        AS agent_place_gap_us,
    min(abs(seen.time_us - model_signals.time_us)) FILTER (WHERE seen.network <> model_signals.network)
        AS elsewhere_gap_us,
    max(seen.browser_major) FILTER (WHERE seen.device = model_signals.device) AS highest_version
FROM candidate_pairs
JOIN model_signals ON model_signals.signal_id = candidate_pairs.signal_id
JOIN window_activity AS seen
    ON seen.user_id = candidate_pairs.user_id
    AND seen.signal_id IS DISTINCT FROM candidate_pairs.signal_id
WHERE hash(candidate_pairs.signal_id) % $parts = $part
GROUP BY candidate_pairs.signal_id, candidate_pairs.user_id
