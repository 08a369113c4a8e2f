-- purpose: how many identifiers joined or left a user, or came to be shared, suppressed or recovered
-- grain: one day, kind and event
-- reads: identity_events
-- parameters: none
SELECT day, kind, event, count(*) AS events
FROM identity_events
GROUP BY day, kind, event
ORDER BY day, kind, event
