"""Observations of the platform's users, as compact columns."""

from dataclasses import dataclass

import numpy as np

from simulation.arrays import Chars, Compact, Ints
from simulation.clock import DAY, Clock
from simulation.config import WorldConfig
from simulation.contacts import digest_bytes, has_given, write_emails, write_phones
from simulation.devices import IN_APP, Devices, agents_at, choose_devices, cookies_at
from simulation.identifiers import email_owners
from simulation.networks import TABLET, AddressPlan, observe
from simulation.population import Population

_EMAIL, _PHONE = 1, 2


@dataclass(frozen=True)
class Accounts:
    """SHA-256 digests of the contacts of one chunk's users."""

    emails: Chars
    phones: Chars


def write_accounts(population: Population, config: WorldConfig) -> Accounts:
    """Return the digests of every user's contacts, whether or not the platform was given them."""
    users = np.arange(population.users)
    emails = write_emails(email_owners(population, users, config))
    phones = write_phones(population.number[users], population.city[users])
    return Accounts(digest_bytes(emails), digest_bytes(phones))


def draw_activity(
    rng: np.random.Generator,
    population: Population,
    devices: Devices,
    plan: AddressPlan,
    clock: Clock,
    config: WorldConfig,
) -> Compact:
    """Return the observations of one chunk's users, with their log day under "log_day"."""
    user = _draw_users(rng, population, clock, config)
    rows = len(user)
    time = clock.draw_times(rng, population.city[user])
    channel, device, kind = choose_devices(
        devices, population, user, draw=rng.random(rows), shares=config.activity_devices
    )
    # On a tablet the app is used; a bot drives a browser.
    in_app = (channel == IN_APP) | (kind == TABLET)
    seen = observe(
        population, plan, clock, person=user, device=device, kind=kind, time=time, config=config
    )
    signed_in = rng.random(rows) < config.contact_on_activity
    key = population.key[user]
    return {
        "log_day": (time // DAY).astype(np.int16),
        "user": population.number[user].astype(np.int32),
        "time": time,
        "ip_high": seen.high,
        "ip_low": seen.low,
        "geo": seen.city.astype(np.int8),
        "home": population.city[user].astype(np.int8),
        "agent": agents_at(devices, device, time, in_app=in_app).astype(np.int16),
        "screen": devices.screen[device].astype(np.int8),
        "language": devices.language[device].astype(np.int8),
        "device_key": devices.key[device],
        "cookie": cookies_at(devices, device, time, config),
        "has_email": signed_in & has_given(key, config.email_given, _EMAIL),
        "has_phone": signed_in & has_given(key, config.phone_given, _PHONE),
        "has_device_id": in_app
        & devices.ad_id[device]
        & (rng.random(rows) < config.device_id_on_activity),
        "has_cookie": ~in_app & (rng.random(rows) < config.cookie_on_activity),
    }


def _draw_users(
    rng: np.random.Generator, population: Population, clock: Clock, config: WorldConfig
) -> Ints:
    users = population.users
    factor = np.where(population.bot[:users], config.bot_activity_factor, 1.0)
    rate = config.activity_per_user_day * clock.days * population.engagement[:users] * factor
    return np.repeat(np.arange(users), rng.poisson(rate))
