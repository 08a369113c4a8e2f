"""From compact columns to the log tables of the contract."""

from datetime import datetime

import numpy as np
import polars as pl

from simulation.activity import Accounts
from simulation.agents import load_agents
from simulation.arrays import Bools, Chars, Compact, Ints, Words
from simulation.campaigns import Campaigns, decimals_of
from simulation.clock import Clock
from simulation.config import SURFACES, WorldConfig
from simulation.devices import list_languages, list_screens
from simulation.hashing import mix
from simulation.places import load_atlas
from simulation.texts import (
    address_text,
    byte_hex_chars,
    digit_chars,
    hex_chars,
    join_chars,
    keep,
    pick,
    uuid_text,
)

_KINDS = ("impression", "engaged_view", "click")
_ARMS = ("treatment", "control")


def write_users(number: Ints, users: int) -> pl.Series:
    """Return user ids: zero-padded, so that they sort like the numbers."""
    return join_chars(b"u", digit_chars(number, max(7, len(str(users)))))


def write_click_ids(seed: int, touch: Words) -> pl.Series:
    """Return the click id of each touch."""
    return join_chars(b"clk.", hex_chars(mix(seed, 81, touch)))


def write_times(clock: Clock, time: Ints) -> pl.Series:
    """Return times as UTC timestamps without a zone."""
    origin = datetime.combine(clock.start, datetime.min.time())
    shift = int((origin - datetime(1970, 1, 1)).total_seconds()) * 1_000_000  # noqa: DTZ001
    return pl.Series(time + shift, dtype=pl.Int64).cast(pl.Datetime("us"))


def write_places(city: Ints, valid: Bools | None = None) -> dict[str, pl.Series]:
    """Return country, region and city of a geo-IP city."""
    atlas = load_atlas()
    return {
        "country": pick(atlas.countries, atlas.country_of[city], valid),
        "region": pick(atlas.regions, city, valid),
        "city": pick(atlas.cities, city, valid),
    }


def activity_frame(rows: Compact, *, clock: Clock, users: int, accounts: Accounts) -> pl.DataFrame:
    """Return activity rows as the log has them.

    Parameters
    ----------
    rows : dict of str to ndarray
        Compact columns of one day.
    clock : Clock
        The window.
    users : int
        Users of the whole world.
    accounts : Accounts
        Digests of the contacts of all users of the world.
    """
    user = rows["user"].astype(np.int64)
    device = rows["device_key"].astype(np.uint64)
    return pl.DataFrame(
        {
            "user_id": write_users(user, users),
            "event_time": write_times(clock, rows["time"].astype(np.int64)),
            "ip": address_text(rows["ip_high"].astype(np.uint64), rows["ip_low"].astype(np.uint64)),
            "user_agent": pick(load_agents().text, rows["agent"].astype(np.int64)),
            "screen": pick(list_screens(), rows["screen"].astype(np.int64)),
            "language": pick(list_languages(), rows["language"].astype(np.int64)),
            **write_places(rows["geo"].astype(np.int64)),
            "timezone": pick(load_atlas().timezones, rows["home"].astype(np.int64)),
            "email_sha256": _digests(accounts.emails, user, rows["has_email"].astype(np.bool_)),
            "phone_sha256": _digests(accounts.phones, user, rows["has_phone"].astype(np.bool_)),
            "device_id": keep(uuid_text(mix(74, device)), rows["has_device_id"].astype(np.bool_)),
            "cookie_id": keep(
                join_chars(b"ck.", hex_chars(rows["cookie"].astype(np.uint64))),
                rows["has_cookie"].astype(np.bool_),
            ),
        }
    )


def touchpoint_frame(
    rows: Compact, campaigns: Campaigns, *, clock: Clock, users: int, seed: int, config: WorldConfig
) -> pl.DataFrame:
    """Return touchpoint rows as the log has them; parameters as in `activity_frame`."""
    campaign = rows["campaign"].astype(np.int64)
    advertiser = campaigns.advertiser[campaign]
    ad = campaign * config.ads_per_campaign + rows["ad"].astype(np.int64)
    touch = rows["number"].astype(np.uint64)
    kind = rows["kind"].astype(np.int64)
    surface = campaigns.surface[campaign]
    ads = len(campaigns.names) * config.ads_per_campaign
    return pl.DataFrame(
        {
            "touch_id": join_chars(b"t", hex_chars(mix(seed, 82, touch))),
            "event_time": write_times(clock, rows["time"].astype(np.int64)),
            "user_id": write_users(rows["user"].astype(np.int64), users),
            "kind": pick(_KINDS, kind),
            "advertiser_id": pick(campaigns.advertisers, advertiser),
            "campaign_id": pick(campaigns.names, campaign),
            "ad_id": pick([f"ad_{i + 1:03d}" for i in range(ads)], ad),
            "surface": pick(SURFACES, surface),
            "creator_id": pick(
                [f"cr_{i + 1:03d}" for i in range(ads)], ad, surface != SURFACES.index("search")
            ),
            "click_id": keep(write_click_ids(seed, touch), kind == 2),
            "cost": pl.Series(rows["cost"].astype(np.float64)).fill_nan(None),
            "currency": pick(config.currencies, advertiser),
            "arm": pick(_ARMS, rows["control"].astype(np.int64)),
        }
    )


def cost_frame(
    rows: Compact, campaigns: Campaigns, *, clock: Clock, day: int, seed: int, config: WorldConfig
) -> pl.DataFrame:
    """Return what each campaign is billed for one day: nearly the logged costs."""
    count = len(campaigns.names)
    spent = np.bincount(
        rows["campaign"].astype(np.int64), np.nan_to_num(rows["cost"].astype(np.float64)), count
    )
    noise = np.random.default_rng([seed, 83, day]).standard_normal(count)
    billed = spent * (1 + config.billing_difference * noise)
    currencies = [config.currencies[advertiser] for advertiser in campaigns.advertiser]
    rounded = [
        round(float(cost), decimals_of(name)) for cost, name in zip(billed, currencies, strict=True)
    ]
    return pl.DataFrame(
        {
            "date": pl.Series([clock.date_of(day)] * count, dtype=pl.Date),
            "campaign_id": pl.Series(campaigns.names),
            "cost": pl.Series(rounded, dtype=pl.Float64),
            "currency": pl.Series(currencies, dtype=pl.String),
        }
    )


def _digests(digests: Chars, user: Ints, valid: Bools) -> pl.Series:
    chars = byte_hex_chars(digests[user])
    return keep(join_chars(chars), valid)
