-- purpose: the users who may have made one conversion
-- grain: one user_id
-- reads: conversion_users, invalid_users
-- parameters: $conversion_id
SELECT
    conversion_users.user_id,
    conversion_users.method,
    conversion_users.user_micros / 1000000 AS match_probability,
    conversion_users.best AS declared,
    conversion_users.signal_id,
    invalid_users.reason AS invalid
FROM conversion_users
LEFT JOIN invalid_users ON invalid_users.user_id = conversion_users.user_id
WHERE conversion_users.conversion_id = $conversion_id
ORDER BY conversion_users.user_micros DESC, conversion_users.user_id
