"""Signal rows as the log has them, and the truth about them."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulation.agents import load_agents
from simulation.arrays import Bools, Floats, Ints
from simulation.campaigns import Campaigns
from simulation.clock import Clock
from simulation.config import WorldConfig
from simulation.devices import Devices, agents_at, list_languages, list_screens
from simulation.frames import write_click_ids, write_places, write_times, write_users
from simulation.hashing import mix
from simulation.identifiers import (
    Disclosure,
    keeps_click_id,
    write_cookies,
    write_customers,
    write_device_ids,
    write_signal_emails,
    write_signal_phones,
)
from simulation.networks import Addresses
from simulation.outcomes import EVENTS, Conversions
from simulation.places import load_atlas
from simulation.population import Population
from simulation.signals import OFFLINE, RESTATEMENT, RETRACTION, WEBVIEW, SignalRows, Visits
from simulation.texts import address_text, digit_chars, hex_chars, join_chars, keep, pick

_ADJUSTMENTS = ("", "", "retraction", "restatement")
_CONSENTS = ("granted", "denied")
_JUNK_PARAMETERS = (
    "utm_source=newsletter",
    "gclid=test",
    "ttclid=",
    "ttclid=__CLICKID__",
    "ref=home&ref=home",
)


@dataclass(frozen=True)
class Dispatch:
    """One chunk's distinct signals, and all that their rows are written from."""

    rows: SignalRows
    population: Population
    devices: Devices
    conversions: Conversions
    visits: Visits
    disclosure: Disclosure
    seen: Addresses

    @property
    def source(self) -> Ints:
        """The conversion of each signal."""
        return self.rows.conversion

    @property
    def person(self) -> Ints:
        """The person of each signal."""
        return self.conversions.person[self.source]

    @property
    def advertiser(self) -> Ints:
        """The advertiser of each signal."""
        return self.conversions.advertiser[self.source]


def signal_frame(
    rng: np.random.Generator,
    sent: Dispatch,
    campaigns: Campaigns,
    *,
    first_touch: int,
    first_signal: int,
    clock: Clock,
    seed: int,
    config: WorldConfig,
) -> pl.DataFrame:
    """Return distinct signals with all columns of the log.

    Parameters
    ----------
    rng : Generator
        The chunk's own stream.
    sent : Dispatch
        What is sent, of whom, from where.
    campaigns : Campaigns
        The advertisers' names.
    first_touch, first_signal : int
        World-wide numbers of the chunk's first touch and signal.
    clock, seed, config
        The world.
    """
    rows, visits = sent.rows, sent.visits
    consent = sent.disclosure.consent[sent.source]
    touch = (visits.click[sent.source] + first_touch).astype(np.uint64)
    click_ids = keep(write_click_ids(seed, touch), keeps_click_id(rows, visits, consent, config))
    number = np.arange(len(rows)) + first_signal
    pages = _write_urls(rng, sent, campaigns, click_ids, config)
    columns = {
        "signal_id": join_chars(b"s", hex_chars(mix(seed, 91, number))),
        "event_time": write_times(clock, rows.time),
        "advertiser_id": pick(campaigns.advertisers, sent.advertiser),
        "event_name": pick(EVENTS, visits.event[sent.source]),
        "received_time": write_times(clock, rows.received),
        "order_id": _write_orders(seed, sent),
        "value": pl.Series(rows.value).fill_nan(None),
        "currency": pick(config.currencies, sent.advertiser, ~np.isnan(rows.value)),
        "adjustment": pick(_ADJUSTMENTS, rows.role, rows.role >= RETRACTION),
        "click_id": click_ids,
        **_write_identifiers(rng, sent, consent, config),
        **_write_surroundings(rng, sent, pages, config),
        "consent": pick(_CONSENTS, np.minimum(consent, 1), consent < 2),
    }
    return pl.DataFrame(columns)


def match_truth(
    frame: pl.DataFrame, sent: Dispatch, campaigns: Campaigns, *, users: int
) -> pl.DataFrame:
    """Return whose each distinct signal is (null: no user's) and what caused it (null: no ad).

    A twin, a retraction or a restatement has the person and the cause of its conversion; the value
    of an adjustment is null.
    """
    person, cause = sent.person, sent.conversions.campaign[sent.source]
    member = person < sent.population.users
    user = write_users(np.where(member, sent.population.number[person], 0), users)
    value = np.where(sent.rows.role >= RETRACTION, np.nan, sent.rows.value)
    return pl.DataFrame(
        {
            "signal_id": frame["signal_id"],
            "user_id": keep(user, member),
            "caused_by": pick(campaigns.names, np.maximum(cause, 0), cause >= 0),
            "value": pl.Series(value).fill_nan(None),
        }
    )


def credit_truth(
    rows: SignalRows, conversions: Conversions, campaigns: Campaigns
) -> tuple[Ints, Floats]:
    """Return caused conversions and their value by campaign.

    A conversion counts once if its own event or that event's twin is in the logs. A retraction in
    the logs takes it out; a restatement in the logs gives its value.
    """
    number = len(conversions)
    logged = np.zeros(number, dtype=np.bool_)
    value = np.zeros(number)
    first = rows.role < RETRACTION
    logged[rows.conversion[first]] = True
    value[rows.conversion[first]] = np.nan_to_num(rows.value[first])
    restated = rows.role == RESTATEMENT
    value[rows.conversion[restated]] = rows.value[restated]
    logged[rows.conversion[rows.role == RETRACTION]] = False
    counts = logged & (conversions.campaign >= 0)
    count = len(campaigns.names)
    campaign = conversions.campaign[counts]
    incremental: Ints = np.bincount(campaign, minlength=count).astype(np.int64)
    earned: Floats = np.bincount(campaign, value[counts], count).astype(np.float64)
    return incremental, earned


def _write_identifiers(
    rng: np.random.Generator, sent: Dispatch, consent: Ints, config: WorldConfig
) -> dict[str, pl.Series]:
    """Return the identifier columns after the click id."""
    rows, visits, population = sent.rows, sent.visits, sent.population
    email, phone = sent.disclosure.email[sent.source], sent.disclosure.phone[sent.source]
    customer = sent.disclosure.customer
    return {
        "cookie_id": write_cookies(rng, sent.devices, visits, rows, consent, config),
        "device_id": write_device_ids(rng, sent.devices, visits, rows, consent, config),
        "external_id": write_customers(population, sent.conversions, rows, customer),
        "email": write_signal_emails(rng, population, sent.person, email, config),
        "phone": write_signal_phones(rng, population, sent.person, phone, config),
    }


def _write_surroundings(
    rng: np.random.Generator, sent: Dispatch, pages: pl.Series, config: WorldConfig
) -> dict[str, pl.Series]:
    """Return address, device, place and page columns."""
    devices, device = sent.devices, sent.visits.device[sent.source]
    # An advertiser's app opens pages in the system's browser engine; only a webview names the
    # platform's app.
    in_app = sent.visits.travel[sent.source] == WEBVIEW
    agent = agents_at(devices, device, sent.rows.time, in_app=in_app)
    city = sent.population.city[sent.person]
    filled = {field: _draw_filled(rng, config.filled[field], sent.rows) for field in config.filled}
    return {
        "ip": keep(address_text(sent.seen.high, sent.seen.low), filled["ip"]),
        "user_agent": pick(load_agents().text, agent, filled["user_agent"]),
        "screen": pick(list_screens(), devices.screen[device], filled["screen"]),
        "language": pick(list_languages(), devices.language[device], filled["language"]),
        **write_places(sent.seen.city, filled["ip"]),
        "timezone": pick(load_atlas().timezones, city, filled["timezone"]),
        "url": keep(pages, filled["url"]),
    }


def _draw_filled(rng: np.random.Generator, shares: tuple[float, ...], rows: SignalRows) -> Bools:
    """Return which rows have a field; a back office, which adjusts, knows no browser."""
    travel = np.where(rows.role >= RETRACTION, OFFLINE, rows.travel)
    filled: Bools = rng.random(len(travel)) < np.array(shares)[travel]
    return filled


def _write_orders(seed: int, sent: Dispatch) -> pl.Series:
    word = mix(seed, 92, sent.population.span.chunk, sent.source)
    return keep(join_chars(b"o-", hex_chars(word)[:, :14]), sent.visits.ordered[sent.source])


def _write_urls(
    rng: np.random.Generator,
    sent: Dispatch,
    campaigns: Campaigns,
    click_ids: pl.Series,
    config: WorldConfig,
) -> pl.Series:
    """Return landing pages; some hold the click id, some junk in its place."""
    number = len(sent.rows)
    shop = pick([name.replace("_", "") for name in campaigns.advertisers], sent.advertiser)
    page = join_chars(digit_chars(rng.integers(0, 500, number), 3))
    draw = pl.Series(rng.random(number))
    junk = pick(_JUNK_PARAMETERS, rng.integers(0, len(_JUNK_PARAMETERS), number))
    url = pl.concat_str(pl.lit("https://shop-"), shop, pl.lit(".example/item/"), page)
    with_click = pl.concat_str(url, pl.lit("?utm_medium=paid&ttclid="), click_ids)
    with_junk = pl.concat_str(url, pl.lit("?"), junk)
    return pl.select(
        pl.when(click_ids.is_not_null() & (draw < config.url_click_id_share)).then(with_click)
        .when(draw < config.url_junk_share).then(with_junk)
        .otherwise(url)
    ).to_series()  # fmt: skip
