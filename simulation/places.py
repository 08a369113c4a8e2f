"""Where people live: a small table of real cities, and what geo-IP says of an address."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from simulation.arrays import Bools, Floats, Ints, Words
from simulation.hashing import mix, uniform

# country: share of the world's people (assumed: a platform with the United States as first market),
# calling code, length of a national number without the area code, device language, IPv6 block of
# one of its providers.
_COUNTRIES = {
    "US": (0.50, "1", 7, "en-US", 0x26001700),
    "GB": (0.14, "44", 7, "en-GB", 0x2A028108),
    "DE": (0.11, "49", 8, "de-DE", 0x2A021810),
    "FR": (0.09, "33", 8, "fr-FR", 0x2A01CB00),
    "JP": (0.08, "81", 8, "ja-JP", 0x24004050),
    "BR": (0.08, "55", 8, "pt-BR", 0x280414D0),
}

# city, region, country, time zone, hours from UTC in winter, metropolitan people in millions
# (censuses of 2020 to 2022, rounded), area or mobile prefix of its telephone numbers.
_CITIES = (
    ("New York", "NY", "US", "America/New_York", -5.0, 19.6, "212"),
    ("Los Angeles", "CA", "US", "America/Los_Angeles", -8.0, 12.9, "213"),
    ("Chicago", "IL", "US", "America/Chicago", -6.0, 9.4, "312"),
    ("Dallas", "TX", "US", "America/Chicago", -6.0, 7.9, "214"),
    ("Houston", "TX", "US", "America/Chicago", -6.0, 7.3, "713"),
    ("Washington", "DC", "US", "America/New_York", -5.0, 6.3, "202"),
    ("Philadelphia", "PA", "US", "America/New_York", -5.0, 6.2, "215"),
    ("Miami", "FL", "US", "America/New_York", -5.0, 6.1, "305"),
    ("Atlanta", "GA", "US", "America/New_York", -5.0, 6.2, "404"),
    ("Phoenix", "AZ", "US", "America/Phoenix", -7.0, 5.0, "602"),
    ("Seattle", "WA", "US", "America/Los_Angeles", -8.0, 4.0, "206"),
    ("Minneapolis", "MN", "US", "America/Chicago", -6.0, 3.7, "612"),
    ("Denver", "CO", "US", "America/Denver", -7.0, 3.0, "303"),
    ("St. Louis", "MO", "US", "America/Chicago", -6.0, 2.8, "314"),
    ("Portland", "OR", "US", "America/Los_Angeles", -8.0, 2.5, "503"),
    ("Omaha", "NE", "US", "America/Chicago", -6.0, 1.0, "402"),
    ("London", "England", "GB", "Europe/London", 0.0, 8.8, "770"),
    ("Birmingham", "England", "GB", "Europe/London", 0.0, 2.9, "771"),
    ("Manchester", "England", "GB", "Europe/London", 0.0, 2.8, "772"),
    ("Leeds", "England", "GB", "Europe/London", 0.0, 2.3, "773"),
    ("Glasgow", "Scotland", "GB", "Europe/London", 0.0, 1.8, "774"),
    ("Cardiff", "Wales", "GB", "Europe/London", 0.0, 1.1, "775"),
    ("Berlin", "Berlin", "DE", "Europe/Berlin", 1.0, 3.8, "151"),
    ("Hamburg", "Hamburg", "DE", "Europe/Berlin", 1.0, 1.9, "152"),
    ("Munich", "Bavaria", "DE", "Europe/Berlin", 1.0, 1.5, "157"),
    ("Cologne", "North Rhine-Westphalia", "DE", "Europe/Berlin", 1.0, 1.1, "160"),
    ("Frankfurt am Main", "Hesse", "DE", "Europe/Berlin", 1.0, 0.8, "170"),
    ("Leipzig", "Saxony", "DE", "Europe/Berlin", 1.0, 0.6, "171"),
    ("Paris", "Île-de-France", "FR", "Europe/Paris", 1.0, 10.9, "6"),
    ("Lyon", "Auvergne-Rhône-Alpes", "FR", "Europe/Paris", 1.0, 1.7, "7"),
    ("Marseille", "Provence-Alpes-Côte d'Azur", "FR", "Europe/Paris", 1.0, 1.6, "6"),
    ("Toulouse", "Occitanie", "FR", "Europe/Paris", 1.0, 1.1, "7"),
    ("Lille", "Hauts-de-France", "FR", "Europe/Paris", 1.0, 1.1, "6"),
    ("Tokyo", "Tokyo", "JP", "Asia/Tokyo", 9.0, 14.0, "90"),
    ("Osaka", "Osaka", "JP", "Asia/Tokyo", 9.0, 8.8, "80"),
    ("Nagoya", "Aichi", "JP", "Asia/Tokyo", 9.0, 7.5, "70"),
    ("Fukuoka", "Fukuoka", "JP", "Asia/Tokyo", 9.0, 5.1, "90"),
    ("Sapporo", "Hokkaido", "JP", "Asia/Tokyo", 9.0, 2.0, "80"),
    ("São Paulo", "São Paulo", "BR", "America/Sao_Paulo", -3.0, 12.0, "119"),
    ("Rio de Janeiro", "Rio de Janeiro", "BR", "America/Sao_Paulo", -3.0, 6.5, "219"),
    ("Brasília", "Distrito Federal", "BR", "America/Sao_Paulo", -3.0, 2.9, "619"),
    ("Salvador", "Bahia", "BR", "America/Bahia", -3.0, 2.4, "719"),
    ("Fortaleza", "Ceará", "BR", "America/Fortaleza", -3.0, 2.4, "859"),
    ("Manaus", "Amazonas", "BR", "America/Manaus", -4.0, 2.1, "929"),
)


@dataclass(frozen=True)
class Atlas:
    """The cities as columns; elsewhere a city or a country is its position here."""

    cities: tuple[str, ...]
    regions: tuple[str, ...]
    timezones: tuple[str, ...]
    country_of: Ints
    offset_hours: Floats
    weight: Floats
    first_city: Ints
    city_count: Ints
    area_codes: tuple[str, ...]
    countries: tuple[str, ...]
    calling_codes: tuple[str, ...]
    line_digits: Ints
    languages: tuple[str, ...]
    sixth_blocks: Words


@cache
def load_atlas() -> Atlas:
    """Return the cities, each weighted by its country's share and by its own people."""
    names = tuple(_COUNTRIES)
    country = np.array([names.index(row[2]) for row in _CITIES], dtype=np.int64)
    people = np.array([row[5] for row in _CITIES])
    share = np.array([_COUNTRIES[name][0] for name in names])
    weight = people / np.bincount(country, weights=people)[country] * share[country]
    return Atlas(
        cities=tuple(row[0] for row in _CITIES),
        regions=tuple(row[1] for row in _CITIES),
        timezones=tuple(row[3] for row in _CITIES),
        country_of=country,
        offset_hours=np.array([row[4] for row in _CITIES]),
        weight=weight / weight.sum(),
        first_city=np.searchsorted(country, np.arange(len(names))).astype(np.int64),
        city_count=np.bincount(country).astype(np.int64),
        area_codes=tuple(row[6] for row in _CITIES),
        countries=names,
        calling_codes=tuple(row[1] for row in _COUNTRIES.values()),
        line_digits=np.array([row[2] for row in _COUNTRIES.values()], dtype=np.int64),
        languages=tuple(row[3] for row in _COUNTRIES.values()),
        sixth_blocks=np.array([row[4] for row in _COUNTRIES.values()], dtype=np.uint64),
    )


def locate(city: Ints, block: Words, *, error_rate: Floats, abroad_rate: float) -> Ints:
    """Return the city that a geo-IP database gives for an address.

    An error belongs to the address block, not to the row: every sighting of the block is wrong in
    the same way.

    Parameters
    ----------
    city : ndarray of shape (n,)
        Where the device is.
    block : ndarray of shape (n,)
        The address without its last bits.
    error_rate : ndarray of shape (n,)
        Probability of another city of the same country.
    abroad_rate : float
        Probability of a city anywhere.
    """
    atlas = load_atlas()
    draw, other = uniform(block, 11), mix(block, 12)
    country = atlas.country_of[city]
    near = atlas.first_city[country] + (other % atlas.city_count[country].astype(np.uint64)).astype(
        np.int64
    )
    far = (other % np.uint64(len(atlas.cities))).astype(np.int64)
    wrong: Bools = draw < error_rate
    return np.where(draw > 1 - abroad_rate, far, np.where(wrong, near, city))
