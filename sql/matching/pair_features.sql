-- purpose: the features of each candidate pair, and how it stands among the candidates of its signal
-- grain: one (signal_id, user_id)
-- makes: pair_features
-- reads: pair_evidence, signal_crowds, model_signals, active_users
-- parameters: none
CREATE OR REPLACE TEMP TABLE pair_features AS
WITH population AS (
    SELECT count(*) AS users FROM active_users
),
rarity AS (
    SELECT
        signal_crowds.signal_id,
        ln(population.users / signal_crowds.address_users) AS address,
        ln(population.users / signal_crowds.network_users) AS network,
        ln(population.users / signal_crowds.site_users) AS site,
        ln(population.users / signal_crowds.device_users) AS device,
        ln(population.users / signal_crowds.agent_users) AS agent,
        ln(population.users / signal_crowds.screen_users) AS screen,
        ln(population.users / signal_crowds.network_device_users) AS network_device,
        ln(population.users / signal_crowds.network_screen_users) AS network_screen,
        ln(population.users / signal_crowds.address_device_users) AS address_device,
        ln(population.users / signal_crowds.agent_place_users) AS agent_place,
        ln(population.users / signal_crowds.device_place_users) AS device_place,
        ln(population.users / signal_crowds.place_users) AS place,
        ln(population.users / signal_crowds.language_users) AS language,
        ln(population.users / signal_crowds.timezone_users) AS timezone,
        ln(population.users / signal_crowds.purchase_users) AS purchase
    FROM signal_crowds
    CROSS JOIN population
),
compared AS (
    SELECT
        pair_evidence.signal_id,
        pair_evidence.user_id,
        pair_evidence.address_count,
        pair_evidence.network_count,
        pair_evidence.site_count,
        pair_evidence.device_count,
        pair_evidence.agent_count,
        pair_evidence.screen_count,
        pair_evidence.network_device_count,
        pair_evidence.network_screen_count,
        pair_evidence.address_device_count,
        pair_evidence.place_count,
        pair_evidence.language_count,
        pair_evidence.timezone_count,
        pair_evidence.week_part_count,
        pair_evidence.purchase_count,
        pair_evidence.system_count,
        pair_evidence.form_count,
        coalesce(pair_evidence.address_days, 0) AS address_days,
        coalesce(pair_evidence.network_days, 0) AS network_days,
        coalesce(pair_evidence.device_days, 0) AS device_days,
        coalesce(pair_evidence.address_device_days, 0) AS address_device_days,
        coalesce(pair_evidence.network_screen_days, 0) AS network_screen_days,
        pair_evidence.address_gap_us / 3600000000.0 AS address_gap_hours,
        pair_evidence.network_gap_us / 3600000000.0 AS network_gap_hours,
        pair_evidence.device_gap_us / 3600000000.0 AS device_gap_hours,
        pair_evidence.address_device_gap_us / 3600000000.0 AS address_device_gap_hours,
        pair_evidence.network_screen_gap_us / 3600000000.0 AS network_screen_gap_hours,
        pair_evidence.network_device_gap_us / 3600000000.0 AS network_device_gap_hours,
        pair_evidence.agent_place_gap_us / 3600000000.0 AS agent_place_gap_hours,
        pair_evidence.elsewhere_gap_us / 3600000000.0 AS elsewhere_gap_hours,
        signal_crowds.address_users,
        signal_crowds.network_users,
        signal_crowds.device_users,
        signal_crowds.agent_users,
        signal_crowds.screen_users,
        signal_crowds.place_users,
        signal_crowds.address_device_users,
        signal_crowds.network_screen_users,
        signal_crowds.agent_place_users,
        model_signals.browser_major - pair_evidence.highest_version AS version_ahead,
        active_users.observations AS user_observations,
        active_users.days AS user_days,
        active_users.addresses AS user_addresses,
        active_users.devices AS user_devices,
        pair_evidence.address_count / active_users.observations AS address_use,
        pair_evidence.network_count / active_users.observations AS network_use,
        pair_evidence.device_count / active_users.observations AS device_use,
        pair_evidence.system_count / active_users.observations AS system_use,
        pair_evidence.form_count / active_users.observations AS form_use,
        pair_evidence.week_part_count / active_users.observations AS week_part_use,
        (model_signals.time_us - active_users.last_us) / 3600000000.0 AS user_idle_hours,
        model_signals.address IS NOT NULL AS has_address,
        model_signals.site IS NOT NULL AS has_site,
        model_signals.device IS NOT NULL AS has_device,
        model_signals.screen IS NOT NULL AS has_screen,
        model_signals.language IS NOT NULL AS has_language,
        CASE WHEN pair_evidence.address_count > 0 THEN rarity.address ELSE 0 END
            + CASE WHEN pair_evidence.network_count > 0 THEN rarity.network ELSE 0 END
            + CASE WHEN pair_evidence.site_count > 0 THEN rarity.site ELSE 0 END
            + CASE WHEN pair_evidence.device_count > 0 THEN rarity.device ELSE 0 END
            + CASE WHEN pair_evidence.agent_count > 0 THEN rarity.agent ELSE 0 END
            + CASE WHEN pair_evidence.screen_count > 0 THEN rarity.screen ELSE 0 END
            + CASE WHEN pair_evidence.network_device_count > 0 THEN rarity.network_device ELSE 0 END
            + CASE WHEN pair_evidence.network_screen_count > 0 THEN rarity.network_screen ELSE 0 END
            + CASE WHEN pair_evidence.address_device_count > 0 THEN rarity.address_device ELSE 0 END
            + CASE WHEN pair_evidence.agent_place_count > 0 THEN rarity.agent_place ELSE 0 END
            + CASE WHEN pair_evidence.device_place_count > 0 THEN rarity.device_place ELSE 0 END
            + CASE WHEN pair_evidence.place_count > 0 THEN rarity.place ELSE 0 END
            + CASE WHEN pair_evidence.language_count > 0 THEN rarity.language ELSE 0 END
            + CASE WHEN pair_evidence.timezone_count > 0 THEN rarity.timezone ELSE 0 END
            + CASE WHEN pair_evidence.purchase_count > 0 THEN rarity.purchase ELSE 0 END AS shared_rarity
    FROM pair_evidence
    JOIN model_signals ON model_signals.signal_id = pair_evidence.signal_id
    JOIN signal_crowds ON signal_crowds.signal_id = pair_evidence.signal_id
    JOIN rarity ON rarity.signal_id = pair_evidence.signal_id
    JOIN active_users ON active_users.user_id = pair_evidence.user_id
)
SELECT
    compared.*,
    count(*) OVER candidates AS candidates,
    count(*) FILTER (WHERE address_count > 0) OVER candidates AS address_candidates,
    count(*) FILTER (WHERE address_device_count > 0) OVER candidates AS address_device_candidates,
    count(*) FILTER (WHERE network_screen_count > 0) OVER candidates AS network_screen_candidates,
    count(*) FILTER (WHERE screen_count > 0) OVER candidates AS screen_candidates,
    coalesce(address_count / nullif(sum(address_count) OVER candidates, 0), 0) AS address_share,
    coalesce(address_device_count / nullif(sum(address_device_count) OVER candidates, 0), 0) AS address_device_share,
    coalesce(network_count / nullif(sum(network_count) OVER candidates, 0), 0) AS network_share,
    coalesce(network_screen_count / nullif(sum(network_screen_count) OVER candidates, 0), 0) AS network_screen_share,
    coalesce(device_count / nullif(sum(device_count) OVER candidates, 0), 0) AS device_share,
    shared_rarity - max(shared_rarity) OVER candidates AS rarity_behind,
    rank() OVER (PARTITION BY signal_id ORDER BY shared_rarity DESC) AS rarity_rank
FROM compared
WINDOW candidates AS (PARTITION BY signal_id)
