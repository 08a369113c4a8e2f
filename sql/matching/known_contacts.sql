-- purpose: the e-mails and phones that users of the window showed in it
-- grain: one (kind, user_id, digest)
-- makes: known_contacts
-- reads: window_activity
-- parameters: none
CREATE OR REPLACE TEMP TABLE known_contacts AS
SELECT DISTINCT 'email' AS kind, user_id, email_digest AS digest
FROM window_activity
WHERE email_digest IS NOT NULL
UNION ALL
SELECT DISTINCT 'phone' AS kind, user_id, phone_digest AS digest
FROM window_activity
WHERE phone_digest IS NOT NULL
