-- purpose: the forms in which identifiers are compared, and the keyed digest in which they are kept
-- grain: one macro a statement
-- reads: nothing
-- parameters: none

-- SHA-256 of an e-mail address, lower case without surrounding space; a SHA-256 is taken as it is
CREATE OR REPLACE TEMP MACRO email_sha256(email) AS CASE
    WHEN regexp_full_match(lower(trim(email)), '[0-9a-f]{64}') THEN lower(trim(email))
    WHEN contains(email, '@') THEN sha256(lower(trim(email)))
END;

-- SHA-256 of a phone number as + and digits; a SHA-256 is taken as it is
CREATE OR REPLACE TEMP MACRO phone_sha256(phone) AS CASE
    WHEN regexp_full_match(lower(trim(phone)), '[0-9a-f]{64}') THEN lower(trim(phone))
    WHEN length(regexp_replace(phone, '\D', '', 'g')) BETWEEN 7 AND 15
        THEN sha256('+' || regexp_replace(regexp_replace(phone, '\D', '', 'g'), '^00', ''))
END;

-- a device or cookie id in lower case; one of zeros only is nobody's
CREATE OR REPLACE TEMP MACRO usable_id(id) AS CASE
    WHEN NOT regexp_full_match(id, '[0-]*') THEN lower(trim(id))
END;

-- HMAC-SHA256 (RFC 2104) of kind:value, its first 128 bits; the pads are the key xor 0x36.. and 0x5c..
CREATE OR REPLACE TEMP MACRO keyed_digest(kind, value, inner_pad, outer_pad) AS CAST(
    left(
        sha256(outer_pad::BLOB || unhex(sha256(inner_pad::BLOB || encode(kind || ':' || value)))),
        32
    ) AS UUID
);
