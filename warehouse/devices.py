"""User agents → browser, operating system, device, and a key that outlives the client's version.

Two observations of one phone rarely show the same user agent: browsers and apps update themselves
every few weeks. What stays is the operating system, the model and the browser; that is the device
key. Every distinct text is parsed once, for logs repeat few of them very often.

References
----------
ua-parser, https://github.com/ua-parser/uap-core: the expressions for browsers, systems and devices.
crawler-user-agents, https://github.com/monperrus/crawler-user-agents: the patterns of bots.
"User-Agent Reduction", https://developer.chrome.com/docs/privacy-security/user-agent: the model K.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import crawleruseragents  # type: ignore[import-untyped]
import polars as pl
import ua_parser_rs
from ua_parser.loaders import load_lazy_builtins
from ua_parser.regex import Resolver

IN_APP: Final = "in-app"
_SCHEMA: Final = {
    "user_agent": pl.String,
    "browser": pl.String,
    "browser_major": pl.String,
    "os": pl.String,
    "os_major": pl.String,
    "device": pl.String,
    "brand": pl.String,
    "model": pl.String,
    "is_bot": pl.Boolean,
}
_HIDDEN_MODELS: Final = ["K", "Smartphone", "Tablet", "Generic Smartphone", "Generic Tablet"]
# Android's WebView says so; of iOS every browser says Safari, the web views of apps do not. Then
# the apps that alter either, and the HTTP clients with which apps speak to their own servers.
_IN_APP_TEXT: Final = (
    r"; wv\)|\bFB(?:AN|AV|_IAB)\b|\bInstagram \d|musical_ly|BytedanceWebview|\bSnapchat/"
    r"|\[Pinterest/|MicroMessenger/|^Dalvik/|^com\.[\w.]+/|CFNetwork/|Cronet/"
)
_APPLE_MOBILE: Final = r"\b(?:iPhone|iPad|iPod)\b.*AppleWebKit/"


@dataclass(frozen=True)
class _Extractors:
    """The compiled expressions; to compile them takes a third of a second."""

    known: Resolver
    bots: ua_parser_rs.UserAgentExtractor


def parse_user_agents(user_agents: pl.Series) -> pl.DataFrame:
    """Tell browser, operating system, device and whether it is a bot; each distinct text once.

    Parameters
    ----------
    user_agents : Series of str
        User agents as logged; null where none was.

    Returns
    -------
    DataFrame
        One row for each of `user_agents`, in their order: browser, browser_major, os, os_major,
        device (the name that ua-parser gives it), brand, model (null where the client hides it),
        is_in_app (the web view or the HTTP client of an app), device_key and is_bot. A name that
        is not known is null; all are null where the user agent is null or blank.

    Notes
    -----
    ``device_key`` is ``os|model|browser``, with ``in-app`` for the browser of any app: it stays the
    same while versions of the browser, the app or the system drift. It is null where none of the
    three is known. It does not name one device, but a kind of device; the rarer, the more telling.
    """
    texts = user_agents.cast(pl.String).str.strip_chars().alias("user_agent")
    texts = texts.set(texts == "", None)
    distinct = _parse_distinct(texts.drop_nulls().unique(maintain_order=True))
    return (
        texts.to_frame()
        .join(distinct, on="user_agent", how="left", maintain_order="left")
        .drop("user_agent")
    )


def _parse_distinct(texts: pl.Series) -> pl.DataFrame:
    parsed = pl.DataFrame(list(_extract(texts)), schema=_SCHEMA, orient="row")
    text = pl.col("user_agent")
    apple_web_view = text.str.contains(_APPLE_MOBILE) & ~text.str.contains("Safari/", literal=True)
    named = parsed.with_columns(
        model=pl.when(pl.col("model").is_in(_HIDDEN_MODELS).not_()).then("model"),
        is_in_app=apple_web_view | text.str.contains(_IN_APP_TEXT),
    )
    browser = pl.when("is_in_app").then(pl.lit(IN_APP)).otherwise("browser")
    parts = [pl.col("os"), pl.col("model"), browser]
    key = pl.concat_str([part.fill_null("") for part in parts], separator="|")
    return named.select(
        *("user_agent", "browser", "browser_major", "os", "os_major", "device", "brand", "model"),
        "is_in_app",
        pl.when(key != "||").then(key).alias("device_key"),
        "is_bot",
    )


def _extract(texts: Iterable[str]) -> Iterator[tuple[str | bool | None, ...]]:
    extractors = _extractors()
    known, bots = extractors.known, extractors.bots
    for text in texts:
        browser, system, device = (
            known.ua.extract(text),
            known.os.extract(text),
            known.de.extract(text),
        )
        yield (
            text,
            browser.family if browser else None,
            browser.major if browser else None,
            system.family if system else None,
            system.major if system else None,
            device.family if device else None,
            device.brand if device else None,
            device.model if device else None,
            bots.extract(text) is not None,
        )


@cache
def _extractors() -> _Extractors:
    # The package's own is_crawler tries 1,500 patterns one after the other; ua-parser's extractor
    # first asks which of them can match at all, gives the same answers and is 200 times as fast.
    patterns = [entry["pattern"] for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA]
    return _Extractors(
        known=Resolver(load_lazy_builtins()),
        bots=ua_parser_rs.UserAgentExtractor(
            (pattern, "bot", None, None, None, None) for pattern in patterns
        ),
    )
