-- purpose: store the bands of a part of the signals
-- grain: one signal and band
-- reads: bands
-- parameters: none
INSERT INTO signal_bands BY NAME
SELECT signal_id, band, bucket
FROM bands
