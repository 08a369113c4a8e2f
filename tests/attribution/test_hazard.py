"""The additive hazard: against data drawn from the model, plain loops and a general optimiser."""

import json
import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from attribution.conversions import DAY_US, HOUR_US
from attribution.histories import Histories
from attribution.learned.effects import HazardBasis
from attribution.learned.hazard import AdditiveHazard
from attribution.learned.hazard_cells import AGES, RESPONSES
from attribution.learned.hazard_fit import fit_rates, log_prior
from attribution.learned.hazard_rates import (
    Evidence,
    HazardReading,
    Rates,
    gather,
    log_likelihood,
)
from attribution.paths import KINDS, LOOKBACK_US, Floats, Integers, Touches
from warehouse.errors import ConfigError, InsufficientDataError

CLICK, VIEW, IMPRESSION = range(3)
EDGES = np.array((0.0, *AGES))
BASELINE = np.array([2e-4, 6e-4])  # an hour, of two segments
LEVELS = np.array([2.0, 0.5, 1.0, 1.0])  # of the organic part, by campaign
FACTORS = np.array([1.5, 0.5, 1.0, 1.0])  # of effects
ORGANIC = np.array([40, 40, 30, 30, 20, 10, 5, 0, 0]) * 1e-4
KERNELS = np.array(
    [
        [8000, 2000, 200, 200, 100, 100, 60, 0, 0],
        [20, 20, 20, 20, 10, 10, 6, 0, 0],
        [20, 20, 20, 20, 10, 10, 6, 0, 0],
    ]
) * (1e-4)


def drawn(
    seed: int, *, users: int = 10_000, held: float = 0.3, effect: float = 1.0, hours: int = 240
) -> Histories:
    """Draw histories from the model: a sum of Poisson rates is a union of Poisson draws.

    Each user meets with the two campaigns of one of two advertisers, each as often as a Poisson
    number of 1 says. A share of the users is held out of each campaign. An eighth of the ads shown
    are clicked a minute later, as many viewed.
    """
    random = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), random.poisson(2.0, users))
    channel = (user % 2) * 2 + random.integers(0, 2, len(user))
    shown = random.random((users, 4))[user, channel] >= held
    met = random.uniform(0, hours, len(user))
    deed = random.random(len(user))
    kind = np.full(len(user), IMPRESSION)
    answers = [(CLICK, shown & (deed < 1 / 8)), (VIEW, shown & (deed > 7 / 8))]
    rows = np.concatenate(
        [np.arange(len(user)), *(np.flatnonzero(chosen) for _, chosen in answers)]
    )
    kind = np.concatenate([kind, *(np.full(chosen.sum(), what) for what, chosen in answers)])
    touches = (user[rows], channel[rows], kind, met[rows] + (kind != IMPRESSION) / 60, shown[rows])
    segment = (np.arange(users) // 2) % 2
    times = [_uniform(random, np.arange(users), 0.0, hours * BASELINE[segment], float(hours))]
    for age in range(len(AGES)):
        width = EDGES[age + 1] - EDGES[age]
        organic = (kind == IMPRESSION) * LEVELS[touches[1]] * ORGANIC[age]
        caused = effect * FACTORS[touches[1]] * KERNELS[kind, age] * touches[4]
        begin = touches[3] + EDGES[age]
        times.append(_uniform(random, touches[0], begin, width * (organic + caused), width))
    who, when = (np.concatenate([part[side] for part in times]) for side in (0, 1))
    watched = when < hours
    return histories_of(touches, (who[watched], when[watched]), segment, hours)


def _uniform(random, owner, begin, mean, width):  # type: ignore[no-untyped-def]
    number = random.poisson(mean)
    begins = np.repeat(np.broadcast_to(begin, number.shape), number)
    return np.repeat(owner, number), begins + width * random.random(len(begins))


def histories_of(touches, conversions, segment, hours):  # type: ignore[no-untyped-def]
    """Return histories of touches and conversions at hours since 1970."""
    owner, channel, kind, met, shown = map(np.asarray, touches)
    order = np.lexsort((kind, channel, met, owner))
    who, when = map(np.asarray, conversions)
    place = np.lexsort((when, who))
    users = len(segment)
    return Histories(
        channels=("a1", "a2", "b1", "b2"),
        advertisers=("a", "b"),
        segments=("s1", "s2"),
        advertiser_of=np.array([0, 0, 1, 1], dtype=np.int32),
        user=np.arange(users),
        advertiser=(np.arange(users) % 2).astype(np.int32),
        segment=np.asarray(segment, dtype=np.int32),
        weights=np.ones(users),
        start_us=0,
        end_us=hours * HOUR_US,
        touches=Touches(
            channel[order].astype(np.int32),
            kind[order].astype(np.int32),
            (met[order] * HOUR_US).astype(np.int64),
            shown[order].astype(np.bool_),
        ),
        touch_history=owner[order].astype(np.int64),
        conversion_us=(when[place] * HOUR_US).astype(np.int64),
        conversion_history=who[place].astype(np.int64),
        probability=np.ones(len(who)),
        value=np.ones(len(who)),
    )


def evidence_of(histories: Histories) -> Evidence:
    return gather(histories, HazardReading.of(histories))


def cut(histories: Histories, end_us: int) -> Histories:
    """Return histories of which no more was watched than up to a time."""
    rows = np.flatnonzero(histories.touches.time_us < end_us)
    kept = histories.conversion_us < end_us
    names = ("conversion_us", "conversion_history", "probability", "value")
    return replace(
        histories,
        end_us=end_us,
        touches=histories.touches.take(rows),
        touch_history=histories.touch_history[rows],
        **{name: getattr(histories, name)[kept] for name in names},
    )


def taken(histories: Histories, users: Integers) -> Histories:
    """Return some histories, in the order asked for."""
    touches = [np.flatnonzero(histories.touch_history == user) for user in users]
    came = [np.flatnonzero(histories.conversion_history == user) for user in users]
    rows, found = (np.concatenate(part).astype(np.int64) for part in (touches, came))
    of_users = ("user", "advertiser", "segment", "weights")
    of_conversions = ("conversion_us", "probability", "value")
    return replace(
        histories,
        touches=histories.touches.take(rows),
        touch_history=np.repeat(np.arange(len(users)), [len(part) for part in touches]),
        conversion_history=np.repeat(np.arange(len(users)), [len(part) for part in came]),
        **{name: getattr(histories, name)[users] for name in of_users},
        **{name: getattr(histories, name)[found] for name in of_conversions},
    )


def click_effect(model: AdditiveHazard) -> Floats:
    """Return the conversions that a click of each campaign causes within two days."""
    causes: Floats = model.effect[:4] * (model.kernels[CLICK] @ np.diff(EDGES))
    return causes


@pytest.fixture(scope="module")
def small() -> Histories:
    return drawn(11, users=1200)


@pytest.fixture(scope="module")
def fitted(small: Histories) -> AdditiveHazard:
    return AdditiveHazard.fit(small)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rates_that_data_were_drawn_from_are_recovered(seed: int) -> None:
    histories = drawn(seed)

    model = AdditiveHazard.fit(histories)

    # some 450 clicks a campaign cause 170 to 520 conversions: one deviation is 4 to 8 in a hundred
    causes = FACTORS * (KERNELS[CLICK] @ np.diff(EDGES))
    np.testing.assert_allclose(click_effect(model), causes, rtol=0.25)
    assert click_effect(model).sum() == pytest.approx(causes.sum(), rel=0.1)
    np.testing.assert_allclose(model.baseline[:2, :2].mean(axis=0), BASELINE, rtol=0.25)
    organic = model.organic[:4] * (model.organic_curve @ np.diff(EDGES))
    np.testing.assert_allclose(organic, LEVELS * (ORGANIC @ np.diff(EDGES)), rtol=0.35)
    assert set(model.basis) == {HazardBasis.HOLDOUT}


def test_ads_without_effect_earn_next_to_nothing_though_those_who_see_them_buy() -> None:
    histories = drawn(4, effect=0.0)
    paths = histories.paths()

    credit = AdditiveHazard.fit(histories).credit(paths)

    touched = (np.diff(paths.offsets) > 0) & (paths.conversions > 0)
    assert touched.sum() > 800
    assert (credit * paths.conversions[paths.of_touch]).sum() < 0.08 * touched.sum()


def test_watching_cut_short_gives_the_same_rates_which_counting_does_not() -> None:
    histories = drawn(5, users=20_000, hours=72)
    short = cut(histories, 36 * HOUR_US)
    causes = float(FACTORS @ np.full(4, KERNELS[CLICK] @ np.diff(EDGES)))

    models = [AdditiveHazard.fit(some) for some in (histories, short)]

    clicked = np.unique(short.touch_history[short.touches.kind == CLICK])
    clicks = (short.touches.kind == CLICK).sum()
    naive = np.isin(short.conversion_history, clicked).sum() / clicks
    assert 4 * naive < 0.85 * causes
    for model in models:
        assert click_effect(model).sum() == pytest.approx(causes, rel=0.15)


@pytest.mark.parametrize("held", [0.0, 0.3])
def test_likelihood_and_priors_never_fall(held: float) -> None:
    evidence = evidence_of(drawn(6, users=2000, held=held))

    fit = fit_rates(evidence)

    assert len(fit.objectives) > 5
    assert np.diff(fit.objectives).min() >= -1e-7
    assert log_likelihood(fit.rates, evidence) + log_prior(fit.rates) >= fit.objectives[-1] - 1e-7


def test_log_likelihood_is_that_of_a_plain_loop(small: Histories) -> None:
    evidence = evidence_of(small)
    rates = fit_rates(evidence, cycles=3).rates

    assert log_likelihood(rates, evidence) == pytest.approx(
        plain_log_likelihood(small, rates, evidence.shares), rel=1e-9
    )


def plain_log_likelihood(histories: Histories, rates: Rates, shares: Floats) -> float:
    """Return the logarithm of the likelihood history by history and touch by touch."""
    total = 0.0
    levels = rates.organic_advertiser[histories.advertiser_of] * rates.organic
    factors = rates.effect_advertiser[histories.advertiser_of] * rates.effect
    kernels = rates.kernels()
    hours = (histories.end_us - histories.start_us) // HOUR_US
    for history in range(len(histories)):
        group = int(histories.advertiser[history]) * 2 + int(histories.segment[history])
        own = [int(row) for row in np.flatnonzero(histories.touch_history == history)]
        curves = []
        for row in own:
            channel, kind, time_us, shown = (
                column[row] for column in vars(histories.touches).values()
            )
            curve = np.zeros(len(AGES))
            if kind == IMPRESSION and shown:
                # what the user did with it before the next ad of the campaign
                of_campaign = [
                    other
                    for other in own
                    if other > row and histories.touches.channel[other] == channel
                ]
                deeds = set()
                for other in of_campaign:
                    if histories.touches.kind[other] == IMPRESSION:
                        break
                    if histories.touches.time_us[other] - time_us <= HOUR_US:
                        deeds.add(int(histories.touches.kind[other]))
                name = "click" if CLICK in deeds else "view" if VIEW in deeds else "none"
                response = rates.response[RESPONSES.index(name)]
                curve = curve + levels[channel] * response * rates.organic_curve
            elif kind == IMPRESSION:
                mixed = float(shares[channel] @ rates.response)
                curve = curve + levels[channel] * mixed * rates.organic_curve
            if shown:
                curve = curve + factors[channel] * kernels[kind]
            curves.append((int(time_us), curve))
        total -= rates.baseline[group] * sum(rates.hours[hour % 24] for hour in range(hours))
        for time_us, curve in curves:
            left = (histories.end_us - time_us) / HOUR_US
            for age in range(len(AGES)):
                total -= curve[age] * max(min(left, EDGES[age + 1]) - EDGES[age], 0.0)
        for moment in histories.conversion_us[histories.conversion_history == history].tolist():
            rate = rates.baseline[group] * rates.hours[moment // HOUR_US % 24]
            for time_us, curve in curves:
                age_us = moment - time_us
                if 0 <= age_us <= LOOKBACK_US:
                    rate += curve[int(np.searchsorted(EDGES[1:] * HOUR_US, age_us))]
            total += math.log(rate)
    return total


def test_a_general_optimiser_finds_no_better_rates() -> None:
    evidence = evidence_of(drawn(7, users=800))
    fit = fit_rates(evidence)
    best = log_likelihood(fit.rates, evidence) + log_prior(fit.rates)

    def unpacked(logs: Floats) -> Rates:
        parts, begin = {}, 0
        for field in fields(Rates):
            like = getattr(fit.rates, field.name)
            part = np.exp(logs[begin : begin + like.size]).reshape(like.shape)
            begin += like.size
            # falls that are each positive make up a curve that does not rise
            if field.name.endswith("curve"):
                part = part[::-1].cumsum()[::-1]
            if field.name == "hours":
                part = part / part.mean()
            if field.name == "burst":
                part = part[:, ::-1].cumsum(axis=1)[:, ::-1] * (np.arange(9) < 2)
                part = part * (np.arange(3) < 2)[:, None]
            parts[field.name] = part
        return Rates(**parts)

    def packed(rates: Rates) -> Floats:
        parts = []
        for field in fields(Rates):
            part = getattr(rates, field.name)
            if field.name.endswith("curve") or field.name == "burst":
                part = part - np.concatenate([part[..., 1:], 0 * part[..., :1]], axis=-1)
            parts.append(np.log(np.maximum(part, 1e-9)).ravel())
        return np.concatenate(parts)

    def loss(logs: Floats) -> float:
        rates = unpacked(logs)
        return -log_likelihood(rates, evidence) - log_prior(rates)

    start = fit_rates(evidence, cycles=2).rates
    options = {"maxfun": 4_000, "maxiter": 60}
    found = minimize(loss, packed(start), method="L-BFGS-B", options=options)

    assert -found.fun > -loss(packed(start)) + 0.1
    assert -found.fun <= best + 0.05


def test_a_weight_of_two_is_two_rows(small: Histories) -> None:
    half = taken(small, np.arange(600))
    twice = taken(small, np.repeat(np.arange(600), 2))
    weighed = replace(half, weights=np.full(600, 2.0))

    models = AdditiveHazard.fit(twice), AdditiveHazard.fit(weighed)

    np.testing.assert_allclose(models[0].cells, models[1].cells, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(models[0].baseline, models[1].baseline, rtol=1e-6)


def test_a_history_split_into_rows_of_parts_of_its_weight_is_the_same(small: Histories) -> None:
    half = taken(small, np.arange(600))
    split = taken(small, np.repeat(np.arange(600), 2))
    split = replace(split, weights=np.tile([0.25, 0.75], 600), user=np.arange(1200))

    models = AdditiveHazard.fit(half), AdditiveHazard.fit(split)

    np.testing.assert_allclose(models[0].cells, models[1].cells, rtol=1e-6, atol=1e-12)


def test_histories_in_another_order_give_the_same_rates(small: Histories) -> None:
    order = np.random.default_rng(1).permutation(600)

    models = [AdditiveHazard.fit(taken(small, rows)) for rows in (np.arange(600), order)]

    np.testing.assert_allclose(models[0].cells, models[1].cells, rtol=1e-6, atol=1e-12)


def test_paths_in_another_order_give_the_same_credit(
    small: Histories, fitted: AdditiveHazard
) -> None:
    paths = small.paths()
    order = np.random.default_rng(2).permutation(len(paths))
    shuffled = paths.take(order)

    sums = np.bincount(paths.of_touch, fitted.credit(paths), minlength=len(paths))
    again = np.bincount(shuffled.of_touch, fitted.credit(shuffled), minlength=len(paths))

    np.testing.assert_allclose(again, sums[order], rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 2), st.floats(0, 239)),
        max_size=30,
    ),
    came=st.lists(st.tuples(st.integers(0, 9), st.floats(0, 239.9)), min_size=1, max_size=10),
)
def test_credit_is_a_share(
    rows: list[tuple[int, int, int, float]], came: list[tuple[int, float]]
) -> None:
    model = hand_model()
    owner, channel, kind, met = zip(*rows, strict=True) if rows else ((), (), (), ())
    touches = (owner, channel, kind, met, np.ones(len(rows)))
    histories = histories_of(touches, tuple(zip(*came, strict=True)), np.zeros(10), 240)
    paths = histories.paths(lookback_us=10 * DAY_US)

    credit = model.credit(paths)

    sums = np.bincount(paths.of_touch, credit, minlength=len(paths))
    assert (credit >= 0).all()
    assert (sums <= 1 + 1e-12).all()
    assert (credit[paths.age_us > LOOKBACK_US] == 0).all()
    assert (sums[np.diff(paths.offsets) == 0] == 0).all()


def hand_model() -> AdditiveHazard:
    return AdditiveHazard(
        channels=("a1", "a2", "b1", "b2"),
        advertisers=("a", "b"),
        segments=("s1", "s2"),
        advertiser_of=np.array([0, 0, 1, 1], dtype=np.int32),
        basis=(HazardBasis.NONE,) * 4,
        baseline=np.full((3, 3), 1e-3),
        hours=np.ones(24),
        organic=np.append(LEVELS, 1.0),
        shares=np.full((5, 3), 1 / 3),
        response=np.array([1.0, 1.0, 2.0]),
        organic_curve=ORGANIC,
        effect=np.append(FACTORS, 1.0),
        kernels=KERNELS,
        carry=1.0,
    )


def test_credit_of_a_path_worked_out_by_hand() -> None:
    # an ad of a1 seen two hours and clicked an hour and a half before, one of a2 seen after it
    touches = ([0, 0, 0], [0, 0, 1], [IMPRESSION, CLICK, IMPRESSION], [1.0, 1.5, 2.5], [1, 1, 1])
    histories = histories_of(touches, ([0], [3.0]), [0, 0], 240)

    credit = hand_model().credit(histories.paths())

    seen, clicked, other = 1.5 * 20e-4, 1.5 * 200e-4, 0.5 * 20e-4
    total = 1e-3 + 2 * 2 * 30e-4 + 0.5 * 40e-4 + seen + clicked + other
    expected = [seen / total, clicked / total, other / total]
    np.testing.assert_allclose(credit[:3], expected, rtol=1e-12)


def test_credit_of_the_fitted_paths_sums_to_the_conversions_that_touches_cause(
    small: Histories, fitted: AdditiveHazard
) -> None:
    paths = small.paths()

    earned = (fitted.credit(paths) * paths.conversions[paths.of_touch]).sum()

    assert 1.0 < fitted.carry < 10.0
    assert earned == pytest.approx(fitted.incremental_by_channel(small).sum(), rel=1e-6)


def test_conversions_caused_are_those_without_any_effect_fewer() -> None:
    histories, without = drawn(8), drawn(8, effect=0.0)

    caused = AdditiveHazard.fit(histories).incremental_by_channel(histories).sum()

    more = len(histories.conversion_us) - len(without.conversion_us)
    assert caused == pytest.approx(more, rel=0.1)


def test_expected_conversions_of_a_span_worked_out_by_hand() -> None:
    touches = ([0, 0], [0, 1], [IMPRESSION, IMPRESSION], [1.0, 7.0], [1, 1])
    histories = histories_of(touches, ([1], [2.0]), [0, 0], 240)

    expected = hand_model().expected(histories, 6 * HOUR_US, 18 * HOUR_US)

    # the ad of the first hour is 5 to 17 hours old; that of the seventh is not yet known
    organic = 2.0 * (30e-4 * 1 + 20e-4 * 6 + 10e-4 * 5)
    caused = 1.5 * (20e-4 * 1 + 10e-4 * 6 + 10e-4 * 5)
    np.testing.assert_allclose(expected, [12e-3 + organic + caused, 12e-3], rtol=1e-12)


def test_expected_conversions_of_the_next_day_come() -> None:
    histories = drawn(9)
    last = histories.end_us - DAY_US
    model = AdditiveHazard.fit(cut(histories, last))

    expected = model.expected(histories, last, histories.end_us)

    came = (histories.conversion_us >= last).sum()
    assert expected.sum() == pytest.approx(came, rel=0.1)


def test_unknown_names_are_given_the_rates_of_all(fitted: AdditiveHazard, small: Histories) -> None:
    renamed = replace(small, channels=("a1", "a2", "b1", "new"), segments=("s1", "other"))

    causes, known = fitted.incremental_by_channel(renamed), fitted.incremental_by_channel(small)

    np.testing.assert_allclose(causes[:3], known[:3])
    assert causes[3] == pytest.approx(known[3] / fitted.effect[3])
    assert (fitted.expected(renamed, 0, HOUR_US)[small.segment == 1] > 0).all()


def test_what_was_written_is_read_back(small: Histories, fitted: AdditiveHazard) -> None:
    text = fitted.to_json()

    model = AdditiveHazard.from_json(text)

    assert model.to_json() == text == AdditiveHazard.fit(small).to_json()
    np.testing.assert_array_equal(model.credit(small.paths()), fitted.credit(small.paths()))


@pytest.mark.parametrize(
    "change",
    [{"model": "other"}, {"ages": [1.0]}, {"hours": [1.0]}, {"basis": "guess"}, {"effect": None}],
)
def test_other_text_is_refused(fitted: AdditiveHazard, change: dict[str, object]) -> None:
    other = json.loads(fitted.to_json()) | change

    for text in (json.dumps(other), "[]", "{", "{}"):
        with pytest.raises(ConfigError, match="no additive hazard"):
            AdditiveHazard.from_json(text)


def test_too_few_conversions_are_refused(small: Histories) -> None:
    with pytest.raises(InsufficientDataError, match="conversions, 10 are needed"):
        AdditiveHazard.fit(replace(small, probability=small.probability * 1e-3))


def test_histories_without_touches_are_all_baseline(small: Histories) -> None:
    none = np.zeros(0, dtype=np.int64)
    bare = replace(small, touches=small.touches.take(none), touch_history=none)

    model = AdditiveHazard.fit(bare)

    watched = len(bare) * (bare.end_us - bare.start_us) / HOUR_US
    assert model.baseline[-1, -1] * watched == pytest.approx(len(bare.conversion_us))
    assert set(model.basis) <= {HazardBasis.NONE}
    assert not model.incremental_by_channel(bare).any()
    assert len(KINDS) == len(model.kernels)
