-- purpose: what fitted models found out of each campaign, kept longer than the models themselves
-- grain: one statement a table; what it stands for is said above each

-- one campaign under one version of a fitted model that tells what ads caused from what would have come anyway
CREATE TABLE campaign_effects (
    model VARCHAR NOT NULL,
    model_version VARCHAR NOT NULL,   -- of credit_models
    campaign_id VARCHAR,              -- null: all campaigns together
    basis VARCHAR,                    -- what causes were told apart by: holdout (ads of the campaign withheld at
                                      -- random), pooled (ads of others), none (the form of the model alone)
    correction DOUBLE,                -- -1 to 1: below 0 the part of the hazard's credit that became organic, above
                                      -- 0 the part of what was organic after its touches that became its credit.
                                      -- This and the next are null where not told
    incremental DOUBLE,               -- conversions that it caused on the model's log days, of known users
    standard_error DOUBLE,
    credited DOUBLE                   -- what its credit sums to in the same paths
);
