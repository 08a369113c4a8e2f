-- purpose: the identifiers that are of one user and of nobody else, and the one asked for; of a
--     hashed value the forms of all recipes
-- grain: one (kind, digest)
-- makes: removed_identifiers
-- reads: asked_identifiers, identity_links, identifiers_seen, signal_identifiers
-- parameters: $user_id
CREATE OR REPLACE TEMP TABLE removed_identifiers AS
WITH own AS (
    SELECT kind, digest FROM asked_identifiers
    UNION
    SELECT kind, digest FROM identity_links WHERE user_id = $user_id
    UNION
    SELECT kind, digest FROM identifiers_seen WHERE user_id = $user_id
),
others AS (
    SELECT kind, digest FROM identity_links WHERE user_id <> $user_id
    UNION ALL
    SELECT kind, digest FROM identifiers_seen WHERE user_id <> $user_id
),
alone AS (
    SELECT own.kind, own.digest
    FROM own
    ANTI JOIN others ON others.kind = own.kind AND others.digest = own.digest
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
SELECT forms.kind, forms.digest
FROM forms
ANTI JOIN others ON others.kind = forms.kind AND others.digest = forms.digest
