-- purpose: no band of a user yet
-- grain: one user, band and bucket
-- makes: user_bands
-- reads: nothing
-- parameters: none
CREATE OR REPLACE TEMP TABLE user_bands (
    user_id VARCHAR NOT NULL,
    band SMALLINT NOT NULL,
    bucket BIGINT NOT NULL
)
