-- purpose: the identifiers asked for, in every form in which a signal that carries one does
-- grain: one (place among what was asked for, kind, digest)
-- makes: asked_identifiers
-- reads: batch, signal_identifiers
-- parameters: $inner_pad, $outer_pad, $later_pads
CREATE OR REPLACE TEMP TABLE asked_identifiers AS
WITH given AS (
    SELECT DISTINCT
        source_row AS place,
        kind,
        keyed_digest(kind, value, $inner_pad, $outer_pad, $later_pads) AS digest
    FROM batch
    WHERE value IS NOT NULL
),
carriers AS (
    SELECT DISTINCT given.place, signal_identifiers.signal_id, signal_identifiers.kind
    FROM signal_identifiers
    JOIN given ON given.kind = signal_identifiers.kind AND given.digest = signal_identifiers.digest
)
SELECT place, kind, digest FROM given
UNION
SELECT carriers.place, signal_identifiers.kind, signal_identifiers.digest
FROM signal_identifiers
JOIN carriers
    ON carriers.signal_id = signal_identifiers.signal_id AND carriers.kind = signal_identifiers.kind
WHERE signal_identifiers.digest IS NOT NULL
