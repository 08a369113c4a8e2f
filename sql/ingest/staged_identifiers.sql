-- purpose: room for the identifiers of signals of which some will be refused as repeats
-- grain: one identifier of one row of a file
-- makes: staged_identifiers
-- reads: nothing
-- parameters: none
CREATE OR REPLACE TEMP TABLE staged_identifiers (
    day DATE,
    signal_id VARCHAR,
    source_file VARCHAR,
    source_row BIGINT,
    kind VARCHAR,
    digest UUID,
    recipes VARCHAR[],
    refusal VARCHAR
)
