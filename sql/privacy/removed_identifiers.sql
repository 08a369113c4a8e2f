-- purpose: the identifiers that are of the users who are forgotten and of nobody else, and those
--     asked for; of a hashed value the forms of all recipes
-- grain: one (kind, digest)
-- makes: removed_identifiers
-- reads: asked_identifiers, identity_links, identifiers_seen, signal_identifiers
-- parameters: $user_ids
CREATE OR REPLACE TEMP TABLE removed_identifiers AS
WITH asked AS (
    SELECT DISTINCT kind, digest FROM asked_identifiers
),
linked AS (
    SELECT kind, digest, list_contains(CAST($user_ids AS VARCHAR[]), user_id) AS is_forgotten
    FROM identity_links
    UNION ALL
    SELECT kind, digest, list_contains(CAST($user_ids AS VARCHAR[]), user_id) AS is_forgotten
    FROM identifiers_seen
),
others AS (
    SELECT kind, digest FROM linked WHERE NOT is_forgotten
),
own AS (
    SELECT DISTINCT kind, digest FROM linked WHERE is_forgotten
),
alone AS (
    SELECT own.kind, own.digest
    FROM own
    ANTI JOIN others ON others.kind = own.kind AND others.digest = own.digest
    UNION
    SELECT kind, digest FROM asked
),
carriers AS (
    SELECT DISTINCT signal_identifiers.signal_id, signal_identifiers.kind
    FROM signal_identifiers
    JOIN alone ON alone.kind = signal_identifiers.kind AND alone.digest = signal_identifiers.digest
),
forms AS (
    SELECT kind, digest FROM alone
    UNION
    SELECT signal_identifiers.kind, signal_identifiers.digest
    FROM signal_identifiers
    JOIN carriers
        ON carriers.signal_id = signal_identifiers.signal_id
        AND carriers.kind = signal_identifiers.kind
    WHERE signal_identifiers.digest IS NOT NULL
)
SELECT kind, digest FROM asked
UNION
SELECT forms.kind, forms.digest
FROM forms
ANTI JOIN others ON others.kind = forms.kind AND others.digest = forms.digest
