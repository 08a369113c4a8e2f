-- purpose: make room for the users of the conversions at work, and drop those of conversions gone
-- grain: one (conversion_id, user_id)
-- reads: conversion_users, work_conversions, stale_conversions
-- parameters: none
DELETE FROM conversion_users
WHERE conversion_id IN (
    SELECT conversion_id FROM work_conversions
    UNION
    SELECT conversion_id FROM stale_conversions WHERE conversion_id IS NOT NULL
)
