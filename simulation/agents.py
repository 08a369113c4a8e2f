"""User agents by their real popularity, their next versions, and the platform's own app."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import polars as pl

from simulation.arrays import Bools, Floats, Ints

# Assumed: the platform's app, the versions in use at the start of the window and their shares; the
# last ones are only reached by upgrading.
_APP = "Clipstream"
_APP_VERSIONS = ("38.1.2", "38.3.0", "38.4.1", "38.5.0", "38.6.2")
_APP_SHARES = (0.12, 0.23, 0.45, 0.20, 0.0)

# Model, build, screen, relative share. Assumed: well-sold Android phones of 2021 to 2025; Chrome's
# reduced user agent hides the model ("Android 10; K"), an app's own browser shows it.
_ANDROID_MODELS = (
    ("SM-S918B", "UP1A.231005.007", "14", "1440x3088", 6.0),
    ("SM-S911B", "UP1A.231005.007", "14", "1080x2340", 7.0),
    ("SM-S928B", "AP3A.240905.015.A2", "15", "1440x3120", 5.0),
    ("SM-A546B", "UP1A.231005.007", "14", "1080x2340", 9.0),
    ("SM-A155F", "UP1A.231005.007", "14", "1080x2340", 9.0),
    ("SM-A136B", "TP1A.220624.014", "13", "720x1600", 5.0),
    ("SM-A536B", "UP1A.231005.007", "14", "1080x2400", 7.0),
    ("SM-G991B", "TP1A.220624.014", "13", "1080x2400", 6.0),
    ("SM-G780G", "TP1A.220624.014", "13", "1080x2400", 3.0),
    ("Pixel 8", "AP4A.250205.002", "15", "1080x2400", 4.0),
    ("Pixel 7a", "AP4A.250205.002", "15", "1080x2400", 3.5),
    ("Pixel 6", "AP4A.250205.002", "15", "1080x2400", 2.5),
    ("2201117TG", "SKQ1.211103.001", "13", "1080x2400", 6.0),
    ("23021RAA2Y", "TKQ1.221114.001", "13", "1080x2400", 6.0),
    ("M2101K7BNY", "SP1A.210812.016", "12", "1080x2400", 4.0),
    ("22101316G", "SP1A.210812.016", "12", "1080x2400", 3.0),
    ("CPH2385", "TP1A.220905.001", "13", "720x1612", 3.0),
    ("CPH2581", "UKQ1.230924.001", "14", "1440x3168", 2.0),
    ("moto g(60)", "S3RIS32.20-42-10", "12", "1080x2460", 4.0),
    ("moto g54 5G", "U1TDS34.94-12-7", "14", "1080x2400", 3.5),
    ("XQ-DC54", "67.2.A.2.118", "14", "1080x2520", 2.0),
    ("SO-51D", "67.2.C.2.118", "14", "1080x2520", 1.5),
)
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_BOT_AGENTS = (
    f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} HeadlessChrome/124.0.6367.78 Safari/537.36",
    f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} HeadlessChrome/119.0.6045.105 Safari/537.36",
    "Mozilla/5.0 (compatible; AdCheckBot/2.1; +https://bot.example/about)",
    "python-requests/2.31.0",
    "Mozilla/5.0 (Linux; Android 9; Android SDK built for x86) "
    f"{_WEBKIT} Chrome/83.0.4103.101 Mobile Safari/537.36",
)
_SYSTEMS = ("mobile-ios", "mobile-android", "desktop", "tablet-ios", "tablet-android")


@dataclass(frozen=True)
class AgentBook:
    """All user agents as one dictionary, with the ways from one code to another."""

    text: pl.Series
    next_version: Ints  # the same browser after an upgrade
    keeps_cookies: Bools  # Chrome and Edge: third-party cookies live
    codes: dict[str, Ints]  # browser codes of each system ...
    shares: dict[str, Floats]  # ... and their popularity
    system_version: Ints  # iOS: row of the app table; else 0
    ios_app: Ints  # (iOS versions, app versions)
    android_app: Ints  # (models, app versions)
    model_shares: Floats
    model_screens: tuple[str, ...]
    app_shares: Floats
    bots: Ints


@cache
def load_agents() -> AgentBook:
    """Return the agents of fake-useragent's data file, each with its summed popularity."""
    browsers = _read_browsers()
    texts = browsers["useragent"].to_list()
    upgraded = [_upgrade(text) for text in texts]
    versions = (
        browsers.select(pl.when(pl.col("os") == "iOS").then("os_version").otherwise(pl.lit("")))
        .to_series()
        .to_list()
    )
    ios = sorted({version for version in versions if version})
    ios_app = [_ios_app_agent(version, app) for version in ios for app in _APP_VERSIONS]
    android_app = [_android_app_agent(row, app) for row in _ANDROID_MODELS for app in _APP_VERSIONS]
    everything = [*texts, *upgraded, *ios_app, *android_app, *_BOT_AGENTS]
    starts = np.cumsum([0, len(texts), len(upgraded), len(ios_app), len(android_app)])
    place = {version: row for row, version in enumerate(ios)}
    system = browsers["system"].to_numpy()
    share = browsers["percent"].to_numpy()
    models = np.array([row[4] for row in _ANDROID_MODELS])
    return AgentBook(
        text=pl.Series(everything, dtype=pl.String),
        next_version=starts[1] + np.arange(len(texts)),
        keeps_cookies=np.array([("Chrome/" in t) for t in texts]),
        codes={name: np.flatnonzero(system == name) for name in _SYSTEMS},
        shares={name: share[system == name] / share[system == name].sum() for name in _SYSTEMS},
        system_version=np.array([place.get(version, 0) for version in versions]),
        ios_app=starts[2] + np.arange(len(ios_app)).reshape(len(ios), -1),
        android_app=starts[3] + np.arange(len(android_app)).reshape(len(_ANDROID_MODELS), -1),
        model_shares=models / models.sum(),
        model_screens=tuple(row[3] for row in _ANDROID_MODELS),
        app_shares=np.array(_APP_SHARES),
        bots=starts[4] + np.arange(len(_BOT_AGENTS)),
    )


def _read_browsers() -> pl.DataFrame:
    """Return one row a user agent, in a fixed order, without phones emulated on a desktop."""
    raw = pl.read_ndjson(files("fake_useragent").joinpath("data/browsers.jsonl").read_bytes())
    family = pl.when(pl.col("os") == "iOS").then(pl.lit("ios")).otherwise(pl.lit("android"))
    handheld = pl.concat_str("type", pl.lit("-"), family)
    real = pl.col("platform").is_in(["iPhone", "iPad"]) | pl.col("platform").str.starts_with(
        "Linux a"
    )
    return (
        raw.filter((pl.col("type") == "desktop") | real)
        .with_columns(
            pl.when(pl.col("type") == "desktop").then("type").otherwise(handheld).alias("system")
        )
        .group_by("system", "useragent", "os", "os_version")
        .agg(pl.col("percent").sum())
        .sort("percent", "system", "useragent", "os", "os_version", descending=[True] + [False] * 4)
    )


def _upgrade(text: str) -> str:
    """Return the agent after one release: the browser's major version, or iOS with its Safari."""
    if "like Mac OS X" in text and "Version/" in text:
        text = re.sub(
            r"OS (\d+)_(\d+)[_\d]*", lambda m: f"OS {m[1]}_{int(m[2]) + 1}", text, count=1
        )
        return re.sub(
            r"Version/(\d+)\.(\d+)[.\d]*", lambda m: f"Version/{m[1]}.{int(m[2]) + 1}", text
        )
    if "Firefox/" in text:
        return re.sub(r"(rv:|Firefox/)(\d+)", lambda m: f"{m[1]}{int(m[2]) + 1}", text)
    names = r"(Chrome|CriOS|GSA|FxiOS|EdgiOS|Edg|EdgA|OPR|SamsungBrowser|Version)/(\d+)"
    return re.sub(names, lambda m: f"{m[1]}/{int(m[2]) + 1}", text)


def _ios_app_agent(version: str, app: str) -> str:
    return (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS {version.replace('.', '_')} like Mac OS X) "
        f"AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 {_APP}/{app}"
    )


def _android_app_agent(row: tuple[str, str, str, str, float], app: str) -> str:
    model, build, version = row[:3]
    return (
        f"Mozilla/5.0 (Linux; Android {version}; {model} Build/{build}; wv) "
        f"{_WEBKIT} Version/4.0 Chrome/135.0.7049.38 Mobile Safari/537.36 {_APP}/{app}"
    )
