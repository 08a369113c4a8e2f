-- purpose: the tokens of signals in long form
-- grain: one (signal_id, kind)
-- makes: signal_tokens
-- reads: model_signals
-- parameters: none
CREATE OR REPLACE TEMP TABLE signal_tokens AS
SELECT signal_id, kind, token
FROM model_signals
UNPIVOT (
    token FOR kind IN (
        address, network, site, device, agent, screen, place, language, timezone, purchase,
        network_device, network_screen, address_device, agent_place, device_place
    )
)
