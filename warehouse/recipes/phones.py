"""Phone numbers in each platform's form, read with `phonenumbers` in the signal's country."""

import functools
import re
from typing import Final

import phonenumbers
import polars as pl
from phonenumbers import (
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
)

from warehouse.recipes.attributes import alpha2
from warehouse.recipes.fields import Reading, Recipe, Refusal
from warehouse.recipes.placeholders import PLACEHOLDER_DIGITS

_PUNCTUATION: Final = r"[\s().-]"
_UID2_DIGITS: Final = 10  # fewer and UID2's libraries refuse the number
_LONGEST: Final = 64  # more signs than any number with its extension
_LONGEST_NATIONAL: Final = 15
_LONGER_THAN_NATIONAL: Final = 12


def read_phones(text: pl.Series, country: pl.Series) -> Reading:
    """Return phone numbers as each platform hashes them.

    Parameters
    ----------
    text : Series of str
        Raw numbers without surrounding space.
    country : Series of str
        Country of each row, in which a number without calling code is read.

    Notes
    -----
    Meta, ph: "Remove symbols, letters, and any leading zeros. Phone numbers must include a country
    code": the digits of E.164 without the plus.

    Google, phone_number: "Include the plus sign (+) and the country code. All characters after the
    plus sign must be digits." TikTok: E.164. UID2: E.164, at most 15 digits; its libraries refuse
    fewer than 10.

    A number counts if its length is possible in its country. That a number is in a range assigned
    today is not asked: ranges change with every release of `phonenumbers`, and a run must not. The
    digest of a number that nobody has matches nobody.
    """
    number, refusal = _read(text, country)
    digits = number.str.strip_prefix("+")
    long_enough = digits.str.len_bytes() >= _UID2_DIGITS
    forms = {
        Recipe.META: digits,
        Recipe.GOOGLE: number,
        Recipe.TIKTOK: number,
        Recipe.UID2: number.set(~long_enough, None),
    }
    raw_digits = text.str.replace_all(r"\D", "")
    national = number.str.extract(_calling_code())
    placeholder = raw_digits.str.contains(PLACEHOLDER_DIGITS) | national.str.contains(
        PLACEHOLDER_DIGITS
    )
    told = pl.select(pl.when(placeholder).then(pl.lit(Refusal.PLACEHOLDER)).otherwise(refusal))
    return Reading(pl.DataFrame(forms), told.to_series())


def _read(text: pl.Series, country: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return each number in E.164 and each reason, one of the two null."""
    number = _clean_numbers(text)
    rest = number.is_null() & text.is_not_null()
    refusal = pl.Series([None], dtype=pl.String).new_from_index(0, len(text))
    if not rest.any():
        return number, refusal
    asked = pl.DataFrame({"text": text.filter(rest), "region": alpha2(country.filter(rest))})
    distinct = asked.unique(maintain_order=True)
    answers = [_read_number(written, region) for written, region in distinct.iter_rows()]
    schema = {"number": pl.String, "refusal": pl.String}
    read = distinct.hstack(pl.DataFrame(answers, schema=schema, orient="row"))
    found = asked.join(
        read, on=["text", "region"], how="left", nulls_equal=True, maintain_order="left"
    )
    rows = rest.arg_true()
    return number.scatter(rows, found["number"]), refusal.scatter(rows, found["refusal"])


def _clean_numbers(text: pl.Series) -> pl.Series:
    """Return E.164 where the answer of `phonenumbers` is known without asking it, else null.

    That is a plus and digits of a possible length that do not begin with the prefix of national
    calls, such as the 0 in +44 (0)20: `phonenumbers` has nothing to remove there.
    """
    fits, prefixed = _clean_patterns()
    plain = text.str.replace_all(_PUNCTUATION, "")
    clean = plain.str.contains(fits) & ~plain.str.contains(prefixed)
    return plain.set(~clean, None)


def _read_number(text: str, region: str | None) -> tuple[str | None, str | None]:
    """Return one number in E.164, or the reason why there is none."""
    if region not in phonenumbers.SUPPORTED_REGIONS:
        region = None
    home = _parsed(text, region)
    digits = re.sub(r"\D", "", text)
    abroad = None if "+" in text else _read_with_code(digits, home, region)
    for number in (abroad, home):
        if number is not None and _is_possible(number):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164), None
    if region is None and "+" not in text and not digits.startswith("00") and len(digits) >= 5:
        return None, Refusal.NO_COUNTRY
    return None, Refusal.MALFORMED if home is None else Refusal.IMPOSSIBLE_NUMBER


def _read_with_code(
    digits: str, home: PhoneNumber | None, region: str | None
) -> PhoneNumber | None:
    """Return a number without a plus as one that begins with its calling code, if that is likelier.

    `home` is its reading as a number of the signal's country. After 00, that reading wins if it is
    in an assigned range, unless the code is the country's own: 0055 in Brazil is rather its code
    than the carrier of that number. Without 00, the number with its code must be in an assigned
    range. The own code then wins where national calls begin with 0, since that 0 is missing; the
    code of another country, if no number of the signal's country fits. Without a country the number
    must be longer than people write national ones: 11 digits may be a Chinese or Brazilian mobile
    as well as a number of the United States with its code.
    """
    doubled = digits.startswith("00")
    abroad = _parsed("+" + digits.removeprefix("00"), None)
    if abroad is None or not _is_possible(abroad) or (digits.startswith("0") and not doubled):
        return None
    own = region is not None and abroad.country_code == phonenumbers.country_code_for_region(region)
    at_home = home is not None and phonenumbers.is_valid_number(home)
    if doubled:
        chosen = own or not at_home
    elif not phonenumbers.is_valid_number(abroad):
        chosen = False
    elif region is None:
        chosen = len(digits) >= _LONGER_THAN_NATIONAL
    elif own:
        chosen = not at_home or phonenumbers.ndd_prefix_for_region(region, True) == "0"
    else:
        chosen = home is None or not _is_possible(home)
    return abroad if chosen else None


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    if len(text) > _LONGEST:
        return None
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _is_possible(number: PhoneNumber) -> bool:
    reason = phonenumbers.is_possible_number_with_reason(number)
    return bool(reason == ValidationResult.IS_POSSIBLE)


@functools.cache
def _calling_code() -> str:
    codes = "|".join(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    return rf"^\+(?:{codes})(\d+)$"


@functools.cache
def _clean_patterns() -> tuple[str, str]:
    """Return a pattern for numbers of possible length, and one for those with a national prefix.

    Left out are the few countries where the prefix is rewritten rather than removed, and those
    whose prefix is told by what follows it.
    """
    fits: list[str] = []
    prefixed: list[str] = []
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
        if metadata is None or metadata.general_desc is None or _rewrites_prefix(metadata):
            continue
        local = metadata.general_desc.possible_length_local_only
        sizes = sorted(set(metadata.general_desc.possible_length) - set(local))
        fits.extend(f"{code}[0-9]{{{size}}}" for size in sizes if size <= _LONGEST_NATIONAL)
        if metadata.national_prefix_for_parsing:
            ascii_prefix = metadata.national_prefix_for_parsing.replace(r"\d", "[0-9]")
            prefixed.append(f"{code}(?:{ascii_prefix})")
    return rf"^\+(?:{'|'.join(fits)})$", rf"^\+(?:{'|'.join(prefixed)})"


def _rewrites_prefix(metadata: PhoneMetadata) -> bool:
    prefix = metadata.national_prefix_for_parsing or "0"
    looks_ahead = "(?=" in prefix or "(?!" in prefix
    return bool(
        metadata.national_prefix_transform_rule or looks_ahead or re.match(prefix, "") is not None
    )
