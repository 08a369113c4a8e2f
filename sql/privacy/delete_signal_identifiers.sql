-- purpose: delete the identifiers that are removed, and all identifiers of the signals of who is
--     forgotten
-- grain: one identifier of one signal
-- reads: signal_identifiers, removed_identifiers, forgotten_signals
-- parameters: none
DELETE FROM signal_identifiers
WHERE (kind, digest) IN (SELECT (kind, digest) FROM removed_identifiers)
    OR signal_id IN (SELECT signal_id FROM forgotten_signals)
