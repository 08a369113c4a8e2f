-- purpose: the keyed digest in which identifiers are kept
-- grain: one macro a statement
-- reads: nothing
-- parameters: none

-- HMAC-SHA256 (RFC 2104), its first 128 bits; the pads are the key xor 0x36.. and 0x5c..
CREATE OR REPLACE TEMP MACRO hmac_128(text, inner_pad, outer_pad) AS left(
    sha256(outer_pad::BLOB || unhex(sha256(inner_pad::BLOB || encode(text)))),
    32
);

-- the same under each later secret of a key that was changed: a digest of the digest
CREATE OR REPLACE TEMP MACRO digest_again(digest, later_pads) AS CASE
    WHEN len(later_pads) = 0 THEN digest
    ELSE list_reduce(
        list_prepend(digest, later_pads),
        lambda text, pads: hmac_128(text, unhex(pads[:128]), unhex(pads[129:]))
    )
END;

CREATE OR REPLACE TEMP MACRO keyed_digest(kind, value, inner_pad, outer_pad, later_pads) AS CAST(
    digest_again(hmac_128(kind || ':' || value, inner_pad, outer_pad), later_pads) AS UUID
);
