"""The devices of a chunk: phones of one person, computers of one or shared, family tablets."""

from dataclasses import dataclass

import numpy as np

from simulation.agents import load_agents
from simulation.arrays import Bools, Floats, Ints, Words
from simulation.clock import DAY
from simulation.config import WorldConfig
from simulation.hashing import mix, uniform
from simulation.networks import DESKTOP, PHONE, TABLET
from simulation.places import load_atlas
from simulation.population import Population

# Physical pixels and relative share. Assumed: iPhones from the 11 to the 16, StatCounter's usual
# desktop sizes.
_IPHONES = {
    "1179x2556": 24, "1170x2532": 24, "1290x2796": 16, "828x1792": 10, "1284x2778": 9,
    "1125x2436": 5, "1206x2622": 5, "750x1334": 4, "1242x2688": 3,
}  # fmt: skip
_DESKTOPS = {
    "1920x1080": 34, "1366x768": 13, "1536x864": 12, "2560x1440": 11, "1440x900": 9,
    "1280x720": 6, "1600x900": 5, "3840x2160": 4, "1728x1117": 4, "1280x800": 2,
}  # fmt: skip
_TABLETS = {
    "1620x2160": 30, "1640x2360": 22, "800x1280": 16, "1668x2388": 12, "1200x1920": 12,
    "2048x2732": 8,
}  # fmt: skip
_FOREIGN = ("en-US", "es-ES", "zh-CN", "pl-PL", "tr-TR", "ar", "it-IT", "en-GB")
# Channels, in the order of the configured shares: platform app or advertiser's app, phone browser,
# computer, tablet.
IN_APP, ON_PHONE, ON_DESKTOP, ON_TABLET = 0, 1, 2, 3


@dataclass(frozen=True)
class Devices:
    """Columns over devices: phones by person, computers by person, tablets by household."""

    persons: int
    key: Words  # unique in the world
    browser: Ints
    app: Ints
    upgraded_app: Ints
    browser_upgrade: Ints  # when, in microseconds of the window
    app_upgrade: Ints
    screen: Ints
    language: Ints
    ad_id: Bools  # the owner allows an advertising id
    has_desktop: Bools  # by person
    desktop_of: Ints  # by person: whose computer is used
    has_tablet: Bools  # by household


def list_screens() -> tuple[str, ...]:
    """Return every screen size; a screen is its position here."""
    return (*_IPHONES, *_DESKTOPS, *_TABLETS, *load_agents().model_screens)


def list_languages() -> tuple[str, ...]:
    """Return every device language; a language is its position here."""
    return (*load_atlas().languages, *_FOREIGN)


def draw_devices(
    rng: np.random.Generator, population: Population, *, config: WorldConfig, seed: int
) -> Devices:
    """Return the devices of one chunk's people."""
    persons = population.persons
    homes = int(population.household.max()) + 1
    rows = 2 * persons + homes
    country = load_atlas().country_of[_cities(population, homes)]
    ios = _draw_ios(rng, country, config)
    kind = np.repeat([PHONE, DESKTOP, TABLET], [persons, persons, homes])
    model = rng.choice(len(load_agents().model_shares), rows, p=load_agents().model_shares)
    browser = _draw_browsers(rng, ios, kind)
    app, upgraded_app = _draw_apps(rng, ios, browser, model)
    opt_in = np.where(ios, config.ad_id_opt_in_ios, config.ad_id_opt_in_android)
    bots = np.flatnonzero(population.bot)
    for column in (browser, app, upgraded_app):
        column[bots] = rng.choice(load_agents().bots, len(bots))
    shared = rng.random(persons) < config.shared_desktop_share
    return Devices(
        persons=persons,
        key=mix(seed, 41, population.span.chunk, np.arange(rows)),
        browser=browser,
        app=app,
        upgraded_app=upgraded_app,
        browser_upgrade=_draw_upgrades(rng, rows, config),
        app_upgrade=_draw_upgrades(rng, rows, config),
        screen=_draw_screens(rng, ios, kind, model),
        language=_draw_languages(rng, country, config),
        ad_id=rng.random(rows) < opt_in,
        has_desktop=rng.random(persons) < config.desktop_share,
        desktop_of=np.where(shared, population.head, np.arange(persons)),
        has_tablet=rng.random(homes) < config.tablet_household_share,
    )


def choose_devices(
    devices: Devices,
    population: Population,
    person: Ints,
    *,
    draw: Floats,
    shares: tuple[float, ...],
) -> tuple[Ints, Ints, Ints]:
    """Return the channel, device and kind of each row.

    Who lacks the drawn device takes the phone's browser.

    Parameters
    ----------
    devices, population
        The chunk.
    person : ndarray of shape (n,)
        Who acts.
    draw : ndarray of shape (n,)
        Uniform numbers that choose the channel.
    shares : tuple of 4 floats
        Shares of app, phone browser, computer, tablet.
    """
    channel = np.searchsorted(np.cumsum(shares)[:-1], draw, side="right").astype(np.int64)
    bot = population.bot[person]
    household = population.household[person]
    lacking = (channel == ON_DESKTOP) & ~devices.has_desktop[person]
    lacking |= (channel == ON_TABLET) & ~devices.has_tablet[household]
    channel = np.where(lacking | bot, ON_PHONE, channel)
    desktop = devices.persons + devices.desktop_of[person]
    tablet = 2 * devices.persons + household
    device = np.select([channel == ON_DESKTOP, channel == ON_TABLET], [desktop, tablet], person)
    kind = np.select([channel == ON_DESKTOP, channel == ON_TABLET], [DESKTOP, TABLET], PHONE)
    return channel, device, kind


def agents_at(devices: Devices, device: Ints, time: Ints, *, in_app: Bools) -> Ints:
    """Return the user agent that a device shows, in the platform's app or in its browser."""
    book = load_agents()
    browser = devices.browser[device]
    human = browser < len(book.next_version)
    later = book.next_version[np.where(human, browser, 0)]
    browser = np.where(human & (time >= devices.browser_upgrade[device]), later, browser)
    app = np.where(
        time >= devices.app_upgrade[device], devices.upgraded_app[device], devices.app[device]
    )
    return np.where(in_app, app, browser)


def cookies_at(devices: Devices, device: Ints, time: Ints, config: WorldConfig) -> Words:
    """Return the platform's cookie in a device's browser, new after each clearing."""
    key = devices.key[device]
    period = config.cookie_life_days * DAY * (0.5 + uniform(42, key))
    life = ((time + uniform(43, key) * period) // period).astype(np.int64)
    return mix(44, key, life)


def _cities(population: Population, homes: int) -> Ints:
    home_city = np.zeros(homes, dtype=np.int64)
    home_city[population.household] = population.city
    return np.concatenate([population.city, population.city, home_city])


def _draw_ios(rng: np.random.Generator, country: Ints, config: WorldConfig) -> Bools:
    share = np.array([config.ios_share.get(name, 0.5) for name in load_atlas().countries])
    ios: Bools = rng.random(len(country)) < share[country]
    return ios


def _draw_browsers(rng: np.random.Generator, ios: Bools, kind: Ints) -> Ints:
    book = load_agents()
    browser = np.zeros(len(kind), dtype=np.int64)
    groups = {
        "mobile-ios": (kind == PHONE) & ios,
        "mobile-android": (kind == PHONE) & ~ios,
        "desktop": kind == DESKTOP,
        "tablet-ios": (kind == TABLET) & ios,
        "tablet-android": (kind == TABLET) & ~ios,
    }
    for system, rows in groups.items():
        browser[rows] = rng.choice(book.codes[system], int(rows.sum()), p=book.shares[system])
    return browser


def _draw_apps(
    rng: np.random.Generator, ios: Bools, browser: Ints, model: Ints
) -> tuple[Ints, Ints]:
    """Return the app's agent before and after an upgrade of one or two releases."""
    book = load_agents()
    last = len(book.app_shares) - 1
    version = rng.choice(last + 1, len(browser), p=book.app_shares)
    later = np.minimum(version + rng.integers(1, 3, len(browser)), last)
    system = book.system_version[browser]
    now = np.where(ios, book.ios_app[system, version], book.android_app[model, version])
    return now, np.where(ios, book.ios_app[system, later], book.android_app[model, later])


def _draw_upgrades(rng: np.random.Generator, rows: int, config: WorldConfig) -> Ints:
    return (rng.random(rows) * config.upgrade_every_days * DAY).astype(np.int64)


def _draw_screens(rng: np.random.Generator, ios: Bools, kind: Ints, model: Ints) -> Ints:
    start = np.cumsum([0, len(_IPHONES), len(_DESKTOPS), len(_TABLETS)])
    iphone, desktop, tablet = (
        start[i]
        + rng.choice(len(table), len(kind), p=np.array(list(table.values())) / sum(table.values()))
        for i, table in enumerate((_IPHONES, _DESKTOPS, _TABLETS))
    )
    return np.select(
        [kind == DESKTOP, kind == TABLET, ios], [desktop, tablet, iphone], start[3] + model
    )


def _draw_languages(rng: np.random.Generator, country: Ints, config: WorldConfig) -> Ints:
    foreign = len(load_atlas().languages) + rng.integers(0, len(_FOREIGN), len(country))
    return np.where(rng.random(len(country)) < config.foreign_language_share, foreign, country)
