-- purpose: store the bands of a part of the users, of those buckets that hold a signal
-- grain: one user, band and bucket
-- reads: bands, signal_bands
-- parameters: none
INSERT INTO user_bands BY NAME
WITH sought AS (
    SELECT DISTINCT band, bucket FROM signal_bands
)
SELECT DISTINCT bands.user_id, bands.band, bands.bucket
FROM bands
JOIN sought ON sought.band = bands.band AND sought.bucket = bands.bucket
