-- purpose: the signals that have candidates, numbered from 0 in their order: their tokens, how many users share each of these,
--     and how rare that is
-- grain: one signal
-- reads: candidate_pairs, model_signals, signal_crowds, active_users
-- parameters: none
WITH population AS (
    SELECT count(*) AS users FROM active_users
),
wanted AS (
    SELECT DISTINCT signal_id FROM candidate_pairs
)
SELECT
    model_signals.*,
    CAST(row_number() OVER (ORDER BY model_signals.signal_id) - 1 AS INTEGER) AS signal_number,
    signal_crowds.* EXCLUDE (signal_id),
    ln(population.users / signal_crowds.address_users) AS address_rarity,
    ln(population.users / signal_crowds.network_users) AS network_rarity,
    ln(population.users / signal_crowds.site_users) AS site_rarity,
    ln(population.users / signal_crowds.device_users) AS device_rarity,
    ln(population.users / signal_crowds.agent_users) AS agent_rarity,
    ln(population.users / signal_crowds.screen_users) AS screen_rarity,
    ln(population.users / signal_crowds.network_device_users) AS network_device_rarity,
    ln(population.users / signal_crowds.network_screen_users) AS network_screen_rarity,
    ln(population.users / signal_crowds.address_device_users) AS address_device_rarity,
    ln(population.users / signal_crowds.agent_place_users) AS agent_place_rarity,
    ln(population.users / signal_crowds.device_place_users) AS device_place_rarity,
    ln(population.users / signal_crowds.place_users) AS place_rarity,
    ln(population.users / signal_crowds.language_users) AS language_rarity,
    ln(population.users / signal_crowds.timezone_users) AS timezone_rarity,
    ln(population.users / signal_crowds.purchase_users) AS purchase_rarity
FROM model_signals
JOIN wanted ON wanted.signal_id = model_signals.signal_id
JOIN signal_crowds ON signal_crowds.signal_id = model_signals.signal_id
CROSS JOIN population
ORDER BY signal_number
