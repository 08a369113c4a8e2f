"""Candidate pairs → features: what the two sides share, how often, when, and how rare it is.

No feature comes from touchpoints: a match must not depend on having seen the ad, or attribution
would prove itself.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.evidence import Activity, Integers, Sightings, find_shared
from warehouse.database import Warehouse

Floats = npt.NDArray[np.float64]
Features = dict[str, npt.NDArray[np.floating]]

_PAIRS_AT_ONCE: Final = 262_144
_HOUR_US: Final = 3_600_000_000.0
_CROWDS: Final = (
    "address", "network", "device", "agent", "screen", "place", "address_device",
    "network_screen", "agent_place",
)  # fmt: skip
_RARITIES: Final = (
    "address", "network", "site", "device", "agent", "screen", "network_device", "network_screen",
    "address_device", "agent_place", "device_place", "place", "language", "timezone", "purchase",
)  # fmt: skip
_USES: Final = ("address", "network", "device", "system", "form", "week_part")
_KNOWN: Final = ("address", "site", "device", "screen", "language")
_RIVALS: Final = ("address", "address_device", "network_screen", "screen")
_SHARES: Final = ("address", "address_device", "network", "network_screen", "device")
FEATURES: Final = (
    "address_count", "network_count", "site_count", "device_count", "agent_count",
    "screen_count", "network_device_count", "network_screen_count", "address_device_count",
    "place_count", "language_count", "timezone_count", "week_part_count", "purchase_count",
    "system_count", "form_count", "address_gap_hours", "network_gap_hours", "device_gap_hours",
    "address_device_gap_hours", "network_screen_gap_hours", "network_device_gap_hours",
    "agent_place_gap_hours", "elsewhere_gap_hours", "address_users", "network_users",
    "device_users", "agent_users", "screen_users", "place_users", "address_device_users",
    "network_screen_users", "agent_place_users", "version_ahead", "user_observations",
    "user_days", "user_addresses", "user_devices", "address_use", "network_use", "device_use",
    "system_use", "form_use", "week_part_use", "user_idle_hours", "has_address", "has_site",
    "has_device", "has_screen", "has_language", "shared_rarity", "candidates",
    "address_candidates", "address_device_candidates", "network_screen_candidates",
    "screen_candidates", "address_share", "address_device_share", "network_share",
    "network_screen_share", "device_share", "rarity_behind", "rarity_rank",
)  # fmt: skip
"""What the pair model reads of a pair, in this order."""
DIRECTIONS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "shared_rarity": 1,
        "rarity_behind": 1,
        "address_users": -1,
        "address_gap_hours": -1,
        "network_gap_hours": -1,
    }
)
"""Features whose direction is certain: 1 speaks for a match the more of it there is, -1 against."""


def compare_pairs(warehouse: Warehouse) -> pl.DataFrame:
    """Return the features of the pairs that blocking found, and the comparison of their contacts.

    Returns
    -------
    DataFrame
        One row for each (signal_id, user_id), in that order: day, advertiser_id, the features
        (float32, null where there is none), and email_same and phone_same: 1 or 0 where both sides
        show one, else null.
    """
    return pl.concat(compare_parts(warehouse))


def compare_parts(warehouse: Warehouse) -> Iterator[pl.DataFrame]:
    """Compare as :func:`compare_pairs` does, whole signals and some 260,000 pairs at a time."""
    for step in ("signal_crowds", "known_contacts", "pair_contacts"):
        warehouse.execute(f"matching/{step}")
    signals = warehouse.query("matching/compared_signals")
    users = warehouse.query("matching/compared_users")
    with (
        warehouse.frame("compared_signals", signals.select("signal_id", "signal_number")),
        warehouse.frame("compared_users", users.select("user_id", "user_number")),
    ):
        pairs = warehouse.query("matching/compared_pairs")
        activity = Activity.of(warehouse.query("matching/compared_activity"))
    sought = Sightings.of_signals(signals)
    for part in _parts(pairs):
        signal, user = (part[f"{side}_number"].to_numpy() for side in ("signal", "user"))
        features: Features = {**find_shared(signal, user, signals=sought, activity=activity)}
        of_signals, of_users = signals[signal], users[user]
        _describe_signals(features, of_signals)
        _describe_users(features, of_signals, of_users)
        _compete(features, signal)
        yield pl.DataFrame(
            [
                of_signals["signal_id"],
                of_users["user_id"],
                *(_feature(name, features[name]) for name in FEATURES),
                *of_signals.select("day", "advertiser_id"),
                *part.select("email_same", "phone_same"),
            ]
        )


def _parts(pairs: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield pairs in order, whole signals at a time; one part without any when there is none."""
    starts = np.flatnonzero(np.diff(pairs["signal_number"].to_numpy(), prepend=-1))
    cuts = [0]
    while len(pairs) - cuts[-1] > _PAIRS_AT_ONCE:
        later = starts[starts > cuts[-1]]
        if not len(later):
            break
        within = later[later <= cuts[-1] + _PAIRS_AT_ONCE]
        cuts.append(int(within[-1] if len(within) else later[0]))
    for start, end in zip(cuts, [*cuts[1:], len(pairs)], strict=True):
        yield pairs[start:end]


def _feature(name: str, values: npt.NDArray[np.floating]) -> pl.Series:
    return pl.Series(name, values.astype(np.float32, copy=False), nan_to_null=True)


def _describe_signals(features: Features, signals: pl.DataFrame) -> None:
    """Add what the signal shows, how many users share it, and how rare is what the pair shares."""
    for kind in _CROWDS:
        features[f"{kind}_users"] = _numbers(signals, f"{kind}_users")
    for kind in _KNOWN:
        features[f"has_{kind}"] = signals[kind].is_not_null().to_numpy().astype(np.float32)
    rarity = np.zeros(len(signals))
    for kind in _RARITIES:
        shared = features[f"{kind}_count"] > 0
        rarity += np.where(shared, _numbers(signals, f"{kind}_rarity"), 0.0)
    features["shared_rarity"] = rarity


def _describe_users(features: Features, signals: pl.DataFrame, users: pl.DataFrame) -> None:
    """Add how much was seen of the user, what part of it is alike, and how long ago the last."""
    seen = _numbers(users, "observations")
    features["user_observations"] = seen
    for name in ("days", "addresses", "devices"):
        features[f"user_{name}"] = _numbers(users, name)
    for kind in _USES:
        features[f"{kind}_use"] = features[f"{kind}_count"] / seen
    idle = signals["time_us"] - users["last_us"]
    features["user_idle_hours"] = idle.to_numpy() / _HOUR_US
    features["version_ahead"] = _numbers(signals, "browser_major") - features["highest_version"]


def _compete(features: Features, signal: Integers) -> None:
    """Add how a pair stands among the candidates of its signal, which follow each other."""
    starts: Integers = np.flatnonzero(np.diff(signal, prepend=-1))
    of_signal: Integers = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(signal)))

    def total(values: npt.NDArray[np.generic]) -> Floats:
        sums = np.bincount(of_signal, weights=values).astype(np.float64, copy=False)
        result: Floats = sums[of_signal]
        return result

    features["candidates"] = total(np.ones(len(signal)))
    for kind in _RIVALS:
        features[f"{kind}_candidates"] = total(features[f"{kind}_count"] > 0)
    for kind in _SHARES:
        count = features[f"{kind}_count"]
        features[f"{kind}_share"] = count / np.maximum(total(count), 1)
    rarity = features["shared_rarity"]
    best = np.maximum.reduceat(rarity, starts) if len(starts) else rarity
    features["rarity_behind"] = rarity - best[of_signal]
    features["rarity_rank"] = _ranks(rarity, of_signal, starts)


def _ranks(values: npt.NDArray[np.floating], of_signal: Integers, starts: Integers) -> Floats:
    """Return 1 for the largest value of each signal, and so on; equal ones share the best rank."""
    order = np.lexsort((-values, of_signal))
    changed = np.diff(values[order], prepend=np.inf) != 0
    changed[starts] = True
    leaders = np.flatnonzero(changed)
    leader = np.repeat(leaders, np.diff(leaders, append=len(values)))
    ranks = np.empty(len(values))
    ranks[order] = leader - starts[of_signal] + 1
    return ranks


def _numbers(frame: pl.DataFrame, name: str) -> Floats:
    return frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
