-- purpose: the ledger of what was forgotten
-- grain: one statement a table; what a row stands for is said above each

-- one request to forget that was met; it names nobody
CREATE TABLE erasures (
    run_id VARCHAR NOT NULL,
    erased_at TIMESTAMP NOT NULL,
    asked VARCHAR NOT NULL,           -- user_id, or the kinds of the identifiers given
    users_named BIGINT NOT NULL,      -- users to whom it was linked
    users_removed BIGINT NOT NULL,    -- 0 where several share the identifier, or none has it
    row_counts VARCHAR NOT NULL       -- JSON: rows deleted or changed, by table
);
