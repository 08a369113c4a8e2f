"""Who is to be forgotten: user ids and identifiers as they are given, read as ingestion does."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from warehouse.config import PrivacyConfig
from warehouse.errors import ConfigError
from warehouse.identifiers import identify
from warehouse.recipes import Refusal
from warehouse.recipes.attributes import alpha2
from warehouse.schemas import TABLES

USER: Final = "user_id"
NOUNS: Final[Mapping[str, str]] = {
    USER: "user id",
    "email": "e-mail",
    "phone": "phone number",
    "device_id": "device id",
    "cookie_id": "cookie id",
    "external_id": "customer id",
    "click_id": "click id",
}
LONGEST: Final = 512  # characters of an identifier in a log
_PLACEHOLDERS: Final = (
    Refusal.PLACEHOLDER, Refusal.HASH_OF_PLACEHOLDER, Refusal.HASH_OF_NOTHING,
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class Asked:
    """One user id or identifier that is to be forgotten; never shown.

    Attributes
    ----------
    kind : str
        ``user_id``, or a kind of identifier.
    value : str
        The user id, or the identifier, raw or hashed.
    advertiser_id, country : str or None
        Whose customer an external_id names, and where a phone number without country is at home.
    """

    kind: str
    value: str
    advertiser_id: str | None = None
    country: str | None = None

    @classmethod
    def among(
        cls,
        given: Mapping[str, Sequence[str] | None],
        *,
        advertiser_id: str | None,
        country: str | None,
    ) -> list[Self]:
        """Return all that were given, by kind; a value ``-`` is read from standard input.

        Raises
        ------
        ConfigError
            If a value is missing, too long or not UTF-8, ``-`` stands for several, or the country
            is none.
        """
        for name, value in (("advertiser_id", advertiser_id), ("country", country)):
            _see_that_it_is_text(name, value or "")
        told = [(kind, value) for kind, values in given.items() for value in values or ()]
        if sum(value == "-" for _, value in told) > 1:
            raise ConfigError("- stands for one value only. Give the others as they are.")
        if country is not None and alpha2(pl.Series([country])).item() is None:
            raise ConfigError(f"--country: {country} is no country. Give two letters, such as US.")
        asked = []
        for kind, value in told:
            text = (_line_given(kind) if value == "-" else value).strip()
            _see_that_it_is_text(kind, text)
            if not text:
                raise ConfigError(f"{option(kind)}: nothing given. Give a value, or - and a line.")
            asked.append(cls(kind, text, advertiser_id, country))
        return asked


def option(kind: str) -> str:
    """Return the option of the command line that takes one kind of name."""
    return "--" + kind.replace("_", "-")


def _line_given(kind: str) -> str:
    try:
        return sys.stdin.readline()
    except UnicodeDecodeError as error:
        raise _not_text(kind) from error


def _see_that_it_is_text(kind: str, text: str) -> None:
    """Refuse what no log can hold: ingestion refuses longer values, and what is not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _not_text(kind) from error
    if len(text) > LONGEST:
        raise ConfigError(
            f"{option(kind)}: longer than {LONGEST} characters, which no log can hold. Give it as "
            "in the logs."
        )


def _not_text(kind: str) -> ConfigError:
    return ConfigError(f"{option(kind)}: not UTF-8. Give it as in the logs.")


def read(asked: Sequence[Asked]) -> pl.DataFrame:
    """Return each identifier in the form of each recipe, as ingestion reads it.

    Returns
    -------
    DataFrame
        As :attr:`warehouse.identifiers.Identified.identifiers`; source_row is the place in `asked`.

    Raises
    ------
    ConfigError
        If a value is no such identifier, such as an e-mail address without a domain.
    """
    schema = {
        "log_day": pl.Date(), "source_row": pl.Int64(), **TABLES["signals"].columns,
    }  # fmt: skip
    rows = [
        {
            "source_row": place,
            "consent": "granted",
            "advertiser_id": one.advertiser_id,
            "country": one.country,
            one.kind: one.value,
        }
        for place, one in enumerate(asked)
        if one.kind != USER
    ]
    values = identify(pl.DataFrame(rows, schema=schema), "signals", PrivacyConfig()).identifiers
    refused = values.filter(pl.col("refusal").is_not_null()).sort("source_row")
    if len(refused):
        place, refusal = refused.select("source_row", "refusal").row(0)
        raise ConfigError(f"{option(asked[place].kind)}: {_why(asked[place], refusal)}")
    return values


def _why(asked: Asked, refusal: str) -> str:
    """Say why a value is no identifier, and what would be one."""
    if refusal in _PLACEHOLDERS:
        return "that is a placeholder, which is never stored; there is nothing to forget."
    hint = "A number without + needs --country."
    if refusal == Refusal.NO_COUNTRY:
        return hint
    if asked.kind == "email":
        return f"not an e-mail address ({refusal})."
    told = f"not a {NOUNS[asked.kind]} ({refusal})."
    return f"{told} {hint}" if asked.kind == "phone" and asked.country is None else told
