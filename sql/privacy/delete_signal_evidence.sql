-- purpose: delete the identifiers that are removed from the table signal_evidence
-- grain: one (signal_id, kind, digest)
-- reads: signal_evidence, removed_identifiers
-- parameters: none
DELETE FROM signal_evidence
WHERE (kind, digest) IN (SELECT (kind, digest) FROM removed_identifiers)
