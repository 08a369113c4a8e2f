"""Which identifiers a signal carries, and in which form."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulation.agents import load_agents
from simulation.arrays import Bools, Ints, Words
from simulation.config import WorldConfig
from simulation.contacts import (
    JUNK_EMAILS,
    digest_bytes,
    garble_emails,
    garble_phones,
    write_emails,
    write_phones,
)
from simulation.devices import Devices, cookies_at
from simulation.hashing import mix, uniform
from simulation.outcomes import INSTALL, Conversions
from simulation.places import load_atlas
from simulation.population import Population
from simulation.signals import APP, ORIGINAL, PIXEL, TWIN, SignalRows, Visits
from simulation.texts import byte_hex_chars, hex_chars, join_chars, keep, pick, uuid_text

_EUROPE = ("GB", "DE", "FR")
JUNK_DEVICE_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Disclosure:
    """What each conversion lets its advertiser send: twins and adjustments share it."""

    consent: Ints  # 0 granted, 1 denied, 2 not said
    email: Bools
    phone: Bools
    customer: Bools


def draw_disclosure(
    rng: np.random.Generator,
    population: Population,
    conversions: Conversions,
    visits: Visits,
    config: WorldConfig,
) -> Disclosure:
    """Return which contacts each conversion discloses; a refusal of consent keeps them back."""
    rows = len(conversions)
    atlas = load_atlas()
    country = atlas.country_of[population.city[conversions.person]]
    europe = np.isin(country, [atlas.countries.index(name) for name in _EUROPE])
    refuses = np.where(europe, config.consent_denied_europe, config.consent_denied_elsewhere)
    draw = rng.random(rows)
    consent = np.select([draw < refuses, draw > 1 - config.consent_missing], [1, 2], 0)
    share = np.where(visits.event == INSTALL, config.email_share / 4, config.email_share)
    email = (rng.random(rows) < share) & (consent != 1)
    phone_share = np.where(email, config.phone_share_with_email, config.phone_share_alone)
    key = population.key[conversions.person]
    return Disclosure(
        consent=consent,
        email=email,
        phone=(rng.random(rows) < phone_share) & (consent != 1),
        customer=uniform(71, conversions.advertiser, key) < config.customer_share,
    )


def write_signal_emails(
    rng: np.random.Generator, population: Population, person: Ints, sent: Bools, config: WorldConfig
) -> pl.Series:
    """Return the e-mail column: clean, messy or hashed, sometimes a second address or junk."""
    rows = len(person)
    owner = email_owners(population, person, config)
    emails = write_emails(owner, other=rng.random(rows) < config.email_other_share)
    junk = rng.random(rows) < config.junk_email_share
    junk_text = pick(JUNK_EMAILS, rng.integers(0, len(JUNK_EMAILS), rows))
    emails = pl.select(pl.when(pl.Series(junk)).then(junk_text).otherwise(emails)).to_series()
    form = np.where(rng.random(rows) < config.messy_share, rng.integers(0, 4, rows), 9)
    return _disguise(rng, emails, garble_emails(emails, form), sent, config)


def write_signal_phones(
    rng: np.random.Generator, population: Population, person: Ints, sent: Bools, config: WorldConfig
) -> pl.Series:
    """Return the phone column: clean, messy or hashed, sometimes a second number."""
    rows = len(person)
    city = population.city[person]
    other = rng.random(rows) < config.phone_other_share
    phones = write_phones(population.number[person], city, other=other)
    form = np.where(rng.random(rows) < config.messy_share, rng.integers(0, 4, rows), 9)
    garbled = garble_phones(phones, load_atlas().country_of[city], form)
    return _disguise(rng, phones, garbled, sent, config)


def write_cookies(
    rng: np.random.Generator,
    devices: Devices,
    visits: Visits,
    rows: SignalRows,
    consent: Ints,
    config: WorldConfig,
) -> pl.Series:
    """Return the platform's cookie where a browser still hands it to another site."""
    device = visits.device[rows.conversion]
    book = load_agents()
    keeps = book.keeps_cookies[np.minimum(devices.browser[device], len(book.next_version) - 1)]
    share = np.where(keeps, config.cookie_share, config.cookie_share_safari)
    sent = (rows.travel == PIXEL) & (consent != 1) & (rng.random(len(device)) < share)
    return keep(write_cookie(cookies_at(devices, device, rows.time, config)), sent)


def write_device_ids(
    rng: np.random.Generator,
    devices: Devices,
    visits: Visits,
    rows: SignalRows,
    consent: Ints,
    config: WorldConfig,
) -> pl.Series:
    """Return the advertising id of app events; who forbids it sends none or zeros."""
    device = visits.device[rows.conversion]
    in_app = (rows.travel == APP) & (consent != 1)
    draw = rng.random(len(device))
    sent = in_app & devices.ad_id[device] & (draw < config.device_id_share)
    zeros = in_app & ~devices.ad_id[device] & (draw < config.junk_device_id_share)
    ids = keep(write_device_id(devices, device), sent)
    return pl.select(
        pl.when(pl.Series(zeros)).then(pl.lit(JUNK_DEVICE_ID)).otherwise(ids)
    ).to_series()


def write_customers(
    population: Population, conversions: Conversions, rows: SignalRows, customer: Bools
) -> pl.Series:
    """Return the advertiser's own customer id, the same on all signals of its customer."""
    person, advertiser = (
        conversions.person[rows.conversion],
        conversions.advertiser[rows.conversion],
    )
    word = mix(72, advertiser, population.key[person])
    return keep(join_chars(b"cust-", hex_chars(word)[:, :12]), customer[rows.conversion])


def email_owners(population: Population, person: Ints, config: WorldConfig) -> Ints:
    """Return whose address each person uses: some use that of the head of the household."""
    shared = uniform(73, population.key[person]) < config.family_email_share
    return np.where(shared, population.number[population.head[person]], population.number[person])


def write_cookie(cookie: Words) -> pl.Series:
    """Return cookies as the platform writes them."""
    return join_chars(b"ck.", hex_chars(cookie))


def write_device_id(devices: Devices, device: Ints) -> pl.Series:
    """Return the advertising id of each device."""
    return uuid_text(mix(74, devices.key[device]))


def keeps_click_id(rows: SignalRows, visits: Visits, consent: Ints, config: WorldConfig) -> Bools:
    """Return which rows carry their visit's click id: originals, and most twins."""
    copied = (rows.role == ORIGINAL) | (
        (rows.role == TWIN) & (uniform(75, rows.received) < config.twin_keeps_click_id)
    )
    has: Bools = copied & (visits.click[rows.conversion] >= 0) & (consent != 1)
    return has


def _disguise(
    rng: np.random.Generator, clean: pl.Series, messy: pl.Series, sent: Bools, config: WorldConfig
) -> pl.Series:
    """Return text as typed, or a digest of the normal form, or by mistake of the typed one."""
    draw = rng.random(len(clean))
    hashed = sent & (draw < config.hashed_share)
    mistaken = sent & (draw > 1 - config.hashed_raw_share)
    out = keep(messy, sent)
    for chosen, source in ((hashed, clean), (mistaken, messy)):
        where = np.flatnonzero(chosen)
        digests = join_chars(byte_hex_chars(digest_bytes(source.gather(where))))
        out = out.scatter(where, digests)
    return out
