-- purpose: the identifiers that a forgotten user shared with users who stay
-- grain: one statement a table; what a row stands for is said above each

-- one identifier that several users had, of whom one or more were forgotten: never one user's own
CREATE TABLE once_shared_identifiers (
    kind VARCHAR NOT NULL,
    digest UUID NOT NULL
);
