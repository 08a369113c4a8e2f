-- purpose: no band of a signal yet
-- grain: one signal and band
-- makes: signal_bands
-- reads: nothing
-- parameters: none
CREATE OR REPLACE TEMP TABLE signal_bands (
    signal_id VARCHAR NOT NULL,
    band SMALLINT NOT NULL,
    bucket BIGINT NOT NULL
)
