-- purpose: the links of the identifiers of the signals at work that speak on the signal's log day
-- grain: one (signal_id, method, user_id)
-- makes: spoken_links
-- reads: work_signals, signal_identifiers, identity_links, identity_rules
-- parameters: $learned (whether what signals taught counts)
CREATE OR REPLACE TEMP TABLE spoken_links AS
SELECT DISTINCT
    signal_identifiers.day,
    signal_identifiers.signal_id,
    signal_identifiers.kind AS method,
    identity_links.user_id,
    identity_links.scope
FROM signal_identifiers
JOIN work_signals ON work_signals.signal_id = signal_identifiers.signal_id
JOIN identity_links
    ON identity_links.kind = signal_identifiers.kind
    AND identity_links.digest = signal_identifiers.digest
JOIN identity_rules ON identity_rules.kind = signal_identifiers.kind
WHERE signal_identifiers.day BETWEEN
        identity_links.first_day - identity_rules.ttl_days
        AND identity_links.last_day + identity_rules.ttl_days
    AND (identity_links.source <> 'signals' OR $learned)
