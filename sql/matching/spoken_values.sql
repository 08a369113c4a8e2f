-- purpose: the users whose links speak for the values that signals carry, on the signals' log days;
--     each value once a day, however many signals carry it
-- grain: one (day, method, digests, user_id)
-- makes: spoken_values
-- reads: carried_values, speaking_links
-- parameters: $learned (whether what signals taught counts)
CREATE OR REPLACE TEMP TABLE spoken_values AS
WITH carried AS (
    SELECT DISTINCT day, method, digests FROM carried_values
),
single AS (
    SELECT day, method, digests, unnest(digests) AS digest FROM carried
)
SELECT DISTINCT
    single.day,
    single.method,
    single.digests,
    speaking_links.user_id,
    speaking_links.scope
FROM single
JOIN speaking_links
    ON speaking_links.kind = single.method AND speaking_links.digest = single.digest
WHERE single.day BETWEEN speaking_links.speaks_from AND speaking_links.speaks_until
    AND (speaking_links.source <> 'signals' OR $learned)
