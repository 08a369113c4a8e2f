-- purpose: give the conversions that one user may have made to a name that stands for nobody
-- grain: one (conversion_id, user_id)
-- reads: conversion_users
-- parameters: $user_id, $pseudonym
UPDATE conversion_users
SET user_id = $pseudonym
WHERE user_id = $user_id
