"""Inside the machine: causes, addresses and draws obey their laws before anything is written."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.campaigns import plan_campaigns
from simulation.clock import DAY, HOUR, Clock
from simulation.config import WorldConfig
from simulation.contacts import write_emails, write_phones
from simulation.exposure import CLICK, draw_episodes, draw_touches
from simulation.hashing import mix, uniform
from simulation.networks import PHONE, TABLET, observe, plan_addresses
from simulation.outcomes import draw_conversions
from simulation.places import load_atlas
from simulation.population import draw_population, plan_spans
from simulation.texts import address_text, digit_chars, hex_chars, join_chars

CONFIG = WorldConfig()
CLOCK = Clock(date(2026, 1, 5), 7)
SEED = 9


@pytest.fixture(scope="module")
def people():
    plan = plan_addresses(8000, config=CONFIG, seed=SEED)
    rng = np.random.default_rng(SEED)
    span = plan_spans(8000, CONFIG)[0]
    return draw_population(rng, span, offices=plan.offices, config=CONFIG, seed=SEED)


@pytest.fixture(scope="module")
def causes(people):
    rng = np.random.default_rng(1)
    campaigns = plan_campaigns(CONFIG)
    episodes = draw_episodes(rng, people, CLOCK, CONFIG)
    touches = draw_touches(rng, people, campaigns, episodes, CLOCK, seed=SEED, config=CONFIG)
    conversions = draw_conversions(rng, people, campaigns, episodes, touches, CLOCK, CONFIG)
    return touches, conversions


def test_no_cause_is_withheld_fake_or_after_its_conversion(causes):
    touches, conversions = causes
    caused = np.flatnonzero(conversions.cause >= 0)
    cause = conversions.cause[caused]

    assert len(caused) > 100
    assert not touches.control[cause].any()
    assert touches.genuine[cause].all()
    assert (touches.time[cause] < conversions.time[caused]).all()
    assert (touches.user[cause] == conversions.person[caused]).all()
    assert (touches.campaign[cause] == conversions.campaign[caused]).all()


def test_intent_drives_both_exposure_and_baseline_conversions(people, causes):
    touches, conversions = causes
    users = np.arange(people.users)
    intent = people.intent[users].mean(axis=1)
    baseline = conversions.person[(conversions.cause < 0) & (conversions.person < people.users)]
    bought = np.bincount(baseline, minlength=people.users) > 0
    clicks = touches.user[(touches.kind == CLICK) & touches.genuine]
    clicked = np.bincount(clicks, minlength=people.users) > 0

    assert intent[bought].mean() > intent[~bought].mean() + 0.1
    assert intent[clicked].mean() > intent[~clicked].mean() + 0.1


def test_flooded_clicks_have_no_intent_behind_them(people, causes):
    touches, _ = causes
    fake = ~touches.genuine & ~people.bot[touches.user]

    assert fake.sum() > 50
    assert abs(people.intent[touches.user[fake]].mean()) < 0.15
    assert (touches.ad[fake] == 0).all()


def test_a_world_without_effects_has_no_causes(people):
    quiet = WorldConfig(click_effect=0, engaged_view_effect=0, impression_effect=0)
    rng = np.random.default_rng(1)
    campaigns = plan_campaigns(quiet)
    episodes = draw_episodes(rng, people, CLOCK, quiet)
    touches = draw_touches(rng, people, campaigns, episodes, CLOCK, seed=SEED, config=quiet)
    conversions = draw_conversions(rng, people, campaigns, episodes, touches, CLOCK, quiet)

    assert len(conversions) > 0
    assert (conversions.cause == -1).all()


def _see(people, person, time, kind):
    plan = plan_addresses(8000, config=CONFIG, seed=SEED)
    rows = len(person)
    return observe(
        people,
        plan,
        CLOCK,
        person=person,
        device=person,
        kind=np.full(rows, kind),
        time=np.full(rows, time),
        config=CONFIG,
    )


def test_a_household_shares_one_address_and_strangers_at_home_none(people):
    human = np.flatnonzero(~people.bot)
    seen = _see(people, human, 2 * HOUR, TABLET)
    fourth = seen.high == 0
    pairs = np.unique(
        np.stack([people.household[human][fourth], seen.low[fourth].astype(int)]), axis=1
    )

    assert len(np.unique(pairs[0])) == pairs.shape[1]
    assert len(np.unique(pairs[1])) > 0.97 * pairs.shape[1]


def test_some_leases_move_and_most_stay(people):
    human = np.flatnonzero(~people.bot)
    first, last = _see(people, human, 0, TABLET), _see(people, human, 6 * DAY, TABLET)
    fourth = (first.high == 0) & (last.high == 0)
    moved = (first.low != last.low)[fourth].mean()

    assert 0.1 < moved < 0.4


def test_a_person_stays_on_one_network_for_a_while(people):
    phones = np.flatnonzero(~people.bot)
    early, soon = _see(people, phones, 8 * HOUR, PHONE), _see(people, phones, 8 * HOUR + 1, PHONE)

    assert (early.low == soon.low).mean() > 0.999


def test_geo_ip_errs_for_an_address_and_always_alike(people):
    human = np.flatnonzero(~people.bot)
    seen = _see(people, human, 2 * HOUR, TABLET)
    again = _see(people, human, 2 * HOUR + 1, TABLET)
    wrong = (seen.city != people.city[human]).mean()

    assert 0.03 < wrong < 0.15
    assert (seen.city == again.city).all()


def test_contacts_are_of_one_person_each():
    number = np.arange(50_000)
    city = number % len(load_atlas().cities)

    assert write_emails(number).is_unique().all()
    assert write_phones(number, city).is_unique().all()
    assert write_phones(number, city).str.contains(r"^\+[1-9]\d{9,13}$").all()
    assert (write_emails(number) != write_emails(number, other=number >= 0)).all()


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20))
def test_hexadecimal_digits_are_pythons(numbers):
    words = np.array(numbers, dtype=np.uint64)

    assert join_chars(hex_chars(words)).to_list() == [f"{number:016x}" for number in numbers]


@given(st.lists(st.integers(0, 10**9 - 1), max_size=20))
def test_decimal_digits_are_pythons(numbers):
    chars = digit_chars(np.array(numbers, dtype=np.int64), 9)

    assert join_chars(b"u", chars).to_list() == [f"u{number:09d}" for number in numbers]


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20))
def test_fourth_version_addresses_are_dotted(numbers):
    low = np.array(numbers, dtype=np.uint64)
    texts = address_text(np.zeros(len(low), dtype=np.uint64), low).to_list()

    assert texts == [".".join(str(number >> s & 255) for s in (24, 16, 8, 0)) for number in numbers]


def test_mixing_is_one_to_one_in_the_last_key_and_even():
    words = mix(3, 5, np.arange(200_000))
    draws = uniform(3, 6, np.arange(200_000))

    assert len(np.unique(words)) == len(words)
    assert np.histogram(draws, bins=10, range=(0, 1))[0] == pytest.approx(20_000, rel=0.03)
