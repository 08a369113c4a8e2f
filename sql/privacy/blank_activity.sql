-- purpose: blank the identifiers that are removed in the activity of whoever showed them
-- grain: one stored row
-- reads: activity, removed_identifiers
-- parameters: none
UPDATE activity
SET
    email_digest = CASE
        WHEN email_digest NOT IN (SELECT digest FROM removed_identifiers WHERE kind = 'email')
            THEN email_digest
    END,
    phone_digest = CASE
        WHEN phone_digest NOT IN (SELECT digest FROM removed_identifiers WHERE kind = 'phone')
            THEN phone_digest
    END,
    device_digest = CASE
        WHEN device_digest NOT IN (SELECT digest FROM removed_identifiers WHERE kind = 'device_id')
            THEN device_digest
    END,
    cookie_digest = CASE
        WHEN cookie_digest NOT IN (SELECT digest FROM removed_identifiers WHERE kind = 'cookie_id')
            THEN cookie_digest
    END
WHERE email_digest IN (SELECT digest FROM removed_identifiers WHERE kind = 'email')
    OR phone_digest IN (SELECT digest FROM removed_identifiers WHERE kind = 'phone')
    OR device_digest IN (SELECT digest FROM removed_identifiers WHERE kind = 'device_id')
    OR cookie_digest IN (SELECT digest FROM removed_identifiers WHERE kind = 'cookie_id')
