"""The ways in which one person's e-mail address or phone number is written, raw and hashed."""

import base64
import hashlib
import random
from typing import Final

# The forms of one address that platforms hash, of a person {n} in world {p}: as it stands, without
# the dots and the tag. Below, what pages and forms collect. Which address a person has goes by
# their number.
_FORMS: Final = (
    ("{p}e{n}@example.com",),
    ("{p}.e{n}@gmail.com", "{p}e{n}@gmail.com"),
    ("{p}.e{n}+ads@googlemail.com", "{p}e{n}@googlemail.com"),
)
_WRITTEN: Final = (
    ("{p}e{n}@example.com", " {p}E{n}@Example.com "),
    ("{p}.E{n}+shop@Gmail.com", "{p}e{n}@gmail.com", "{p}.e.{n}@gmail.com"),
    ("{p}.e{n}+ads@googlemail.com", "{p}e{n}+web@GoogleMail.com", "{p}e{n}@gmail.com"),
)
_NOBODYS_EMAIL: Final = ("test@example.com", "no-reply@shop.example.com", "none", "a b@example.com")
_NOBODYS_ID: Final = ("null", "00000000-0000-0000-0000-000000000000", "undefined", "  ")


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def hashed_email(prefix: str, number: int, rng: random.Random) -> str:
    """Return an address as a platform's own log holds it: hashed under some recipe."""
    if rng.random() < 0.05:
        return sha256("test@gmail.com")
    return _shown(rng.choice(_FORMS[number % 3]).format(p=prefix, n=number), rng)


def email(prefix: str, number: int, rng: random.Random) -> str:
    """Return an address as an advertiser sends it: raw in some spelling, hashed, or nobody's."""
    if rng.random() < 0.08:
        return rng.choice(_NOBODYS_EMAIL)
    if rng.random() < 0.3:
        digest = hashed_email(prefix, number, rng)
        return base64.b64encode(bytes.fromhex(digest)).decode() if rng.random() < 0.3 else digest
    return rng.choice(_WRITTEN[number % 3]).format(p=prefix, n=number)


def hashed_phone(world: int, number: int, rng: random.Random) -> str:
    """Return a number as a platform's own log holds it: hashed with its plus or without."""
    return _shown(rng.choice(["+", "+", ""]) + _digits(world, number), rng)


def phone(world: int, number: int, rng: random.Random) -> dict[str, str | None]:
    """Return the phone and country of a signal: raw in some form, hashed, or unreadable."""
    digits = _digits(world, number)
    national = f"({digits[1:4]}) {digits[4:7]}-{digits[7:]}"
    written, country = rng.choice(
        [
            (f"+{digits}", None),
            (f"+1 {national}", "FR"),
            (national, "US"),
            (national, "United States"),
            (national, None),  # nobody knows where
            (digits, "US"),
            (sha256(f"+{digits}"), None),
            (sha256(digits), "US"),
            ("0000000", "US"),
        ]
    )
    return {"phone": written, "country": country}


def plain_id(name: str, rng: random.Random) -> str:
    """Return a device or cookie id in some spelling, or what stands for none."""
    if rng.random() < 0.06:
        return rng.choice(_NOBODYS_ID)
    return rng.choice([name, name, name.upper(), f" {name} "])


def _digits(world: int, number: int) -> str:
    return f"1212{5_550_000 + 20 * world + number}"


def _shown(form: str, rng: random.Random) -> str:
    digest = sha256(form)
    return digest.upper() if rng.random() < 0.1 else digest
