-- purpose: who a conversion's user is when clicks are left aside
-- grain: one statement a view; what it stands for is said above each

-- one identifier other than a click id of one signal of a conversion, and a user whom it names on the log
-- day of the signal. Who saw an ad has more click ids, so that what these name must not tell what ads
-- cause; and what signals taught of identifiers may have come by a click. An identifier that names two
-- users on that day has two rows
CREATE VIEW names_without_clicks AS
SELECT
    conversion_signals.conversion_id,
    conversion_signals.day,
    signal_identifiers.kind,
    signal_identifiers.digest,
    speaking_links.user_id
FROM conversion_signals
JOIN signal_identifiers ON signal_identifiers.signal_id = conversion_signals.signal_id
JOIN speaking_links
    ON speaking_links.kind = signal_identifiers.kind
    AND speaking_links.digest = signal_identifiers.digest
    AND conversion_signals.day BETWEEN speaking_links.speaks_from AND speaking_links.speaks_until
WHERE conversion_signals.role IN ('first', 'repeat')
    AND signal_identifiers.kind IN ('email', 'phone', 'device_id', 'cookie_id')
    AND speaking_links.source <> 'signals';
