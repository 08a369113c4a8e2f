-- purpose: give the restated credit of one user to a name that stands for nobody
-- grain: one conversion whose credit a later run changed
-- reads: restatements
-- parameters: $user_id, $pseudonym
UPDATE restatements
SET
    before = replace(
        before,
        '"user_id":' || CAST(to_json(CAST($user_id AS VARCHAR)) AS VARCHAR),
        '"user_id":' || CAST(to_json(CAST($pseudonym AS VARCHAR)) AS VARCHAR)
    ),
    after = replace(
        after,
        '"user_id":' || CAST(to_json(CAST($user_id AS VARCHAR)) AS VARCHAR),
        '"user_id":' || CAST(to_json(CAST($pseudonym AS VARCHAR)) AS VARCHAR)
    )
WHERE contains(before, '"user_id":' || CAST(to_json(CAST($user_id AS VARCHAR)) AS VARCHAR))
    OR contains(after, '"user_id":' || CAST(to_json(CAST($user_id AS VARCHAR)) AS VARCHAR))
