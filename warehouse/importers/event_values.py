"""Single values of an events payload: what advertisers put there, as a signal keeps it.

Payloads are written by thousands of shops: a list stands where one value should, a number where a
text should, a raw e-mail where a digest should. Each function takes whatever was sent and returns
the value, or None where there is none.
"""

import hashlib
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 -- the logs keep UTC without a zone
_BEFORE: Final = datetime(1, 1, 1)  # noqa: DTZ001
BEYOND: Final = datetime(9999, 12, 31)  # noqa: DTZ001
"""Stands for every later time, such as milliseconds that are read as seconds."""


def pick(source: Any, *path: str) -> Any:
    """Return what stands at the end of a path of keys, or None where the path leads nowhere."""
    for key in path:
        if not isinstance(source, dict):
            return None
        source = source.get(key)
    return source


def text(*values: Any) -> str | None:
    """Return the first of the values that is a text or a number; of a list, its first such."""
    for value in values:
        if value is None:
            continue
        found = text(*value) if isinstance(value, list) else _one_text(value)
        if found is not None:
            return found
    return None


def texts(*values: Any) -> list[str]:
    """Return all of the values that are texts or numbers, those of lists among them, in order."""
    found = []
    for value in values:
        if isinstance(value, list):
            found += texts(*value)
        elif value is not None and (one := _one_text(value)) is not None:
            found.append(one)
    return found


def _one_text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    sent = str(value).strip()
    # JSON may hold half of a surrogate pair, which no UTF-8 can.
    return (sent if sent.isascii() else sent.encode("utf-8", "replace").decode("utf-8")) or None


def amount(value: Any) -> float | None:
    """Return a number; NaN, which ingestion refuses by name, where something else was sent."""
    if value is None or value == "":
        return None
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def total(contents: Any, price_key: str) -> float | None:
    """Return price times quantity over all contents, or None where a price is missing.

    A sum beyond all numbers is NaN, which ingestion refuses by name.

    Parameters
    ----------
    contents : object
        The list of items as sent; a quantity that is missing is 1.
    price_key : str
        The platform's name for the price of one item.
    """
    if not isinstance(contents, list) or not contents:
        return None
    prices = [amount(pick(item, price_key)) for item in contents]
    counts = [amount(pick(item, "quantity")) for item in contents]
    if any(price is None or math.isnan(price) for price in prices):
        return None
    if any(count is not None and math.isnan(count) for count in counts):
        return None
    pairs = zip(prices, counts, strict=True)
    try:
        return math.fsum((price or 0) * (1 if count is None else count) for price, count in pairs)
    except (OverflowError, ValueError):  # ValueError is what infinity less infinity raises
        return math.nan


def moment(value: Any) -> datetime | None:
    """Return the UTC time of Unix seconds or an ISO 8601 text; None where it is neither.

    A number is read as seconds whatever it is, so that ingestion refuses milliseconds as too late
    rather than as missing. A time before the year 1 or after 9999 becomes the first or the
    last day between. A text without a zone is UTC.
    """
    sent = _one_text(value)
    if sent is None:
        return None
    try:
        seconds = float(sent)
    except ValueError:
        return _iso_moment(sent)
    if not math.isfinite(seconds):
        return None
    try:
        return min(_EPOCH + timedelta(seconds=seconds), BEYOND)
    except OverflowError:
        return BEYOND if seconds > 0 else _BEFORE


def _iso_moment(sent: str) -> datetime | None:
    try:
        stamp = datetime.fromisoformat(sent)
        return stamp.astimezone(UTC).replace(tzinfo=None) if stamp.tzinfo else stamp
    except (ValueError, OverflowError):
        return None


def digest(value: str) -> str:
    """Return the SHA-256 of a text in lower case without surrounding space."""
    return hashlib.sha256(value.strip().lower().encode("utf-8")).hexdigest()


def unhashed(*values: Any) -> str | None:
    """Return a description that was sent in clear, such as a city; None where it was digested."""
    sent = text(*values)
    return None if sent is None or _DIGEST.fullmatch(sent.lower()) else sent


def upper(*values: Any) -> str | None:
    """Return a text in upper case."""
    sent = text(*values)
    return sent.upper() if sent else None


def query_value(url: str | None, name: str) -> str | None:
    """Return a parameter of a URL's query, as the platforms hand over a click id."""
    try:
        return text(parse_qs(urlsplit(url or "").query).get(name))
    except ValueError:
        return None


def is_true(value: Any) -> bool:
    """Tell whether a flag is set, also where it was sent as a text or a number."""
    return value is True or str(value).lower() in {"true", "1", "1.0"}
