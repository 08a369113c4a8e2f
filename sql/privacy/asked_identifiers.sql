-- purpose: the identifier asked for, in every form in which a signal that carries it does
-- grain: one (kind, digest)
-- makes: asked_identifiers
-- reads: batch, signal_identifiers
-- parameters: $inner_pad, $outer_pad, $later_pads
CREATE OR REPLACE TEMP TABLE asked_identifiers AS
WITH given AS (
    SELECT DISTINCT kind, keyed_digest(kind, value, $inner_pad, $outer_pad, $later_pads) AS digest
    FROM batch
    WHERE value IS NOT NULL
),
carriers AS (
    SELECT DISTINCT signal_identifiers.signal_id, signal_identifiers.kind
    FROM signal_identifiers
    JOIN given ON given.kind = signal_identifiers.kind AND given.digest = signal_identifiers.digest
)
SELECT kind, digest FROM given
UNION
SELECT signal_identifiers.kind, signal_identifiers.digest
FROM signal_identifiers
JOIN carriers
    ON carriers.signal_id = signal_identifiers.signal_id AND carriers.kind = signal_identifiers.kind
WHERE signal_identifiers.digest IS NOT NULL
