-- purpose: blank the bodies of models that serve no log day from one on: all before the one that serves it
-- grain: one attempt to fit a model
-- reads: credit_models
-- parameters: $model, $first_day (the first log day that is to be served as before)
UPDATE credit_models
SET body = NULL
WHERE model = $model
    AND body IS NOT NULL
    AND last_day < (
        SELECT max(last_day)
        FROM credit_models
        WHERE model = $model AND body IS NOT NULL AND last_day <= $first_day
    )
