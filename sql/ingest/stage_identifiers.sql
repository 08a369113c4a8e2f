-- purpose: note the identifiers of a batch of signals, as keyed digests
-- grain: one identifier of one row of a file
-- reads: batch
-- parameters: $file, $inner_pad, $outer_pad, $later_pads
INSERT INTO staged_identifiers BY NAME
SELECT
    log_day AS day,
    signal_id,
    $file AS source_file,
    source_row,
    kind,
    keyed_digest(kind, value, $inner_pad, $outer_pad, $later_pads) AS digest,
    recipes,
    refusal
FROM batch
