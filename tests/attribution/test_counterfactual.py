"""Laws of the counterfactual model, on small worlds whose causes are known."""

import json
from dataclasses import replace

import lightgbm
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.conversions import HOUR_US
from attribution.histories import Histories, first_not_before
from attribution.learned.counterfactual import CounterfactualModel
from attribution.learned.exposure_features import (
    DOSES,
    INTENT,
    Rates,
    all_doses,
    intent_features,
    touch_doses,
)
from attribution.learned.exposure_moments import Controls, Moments, moments_of
from attribution.learned.exposure_trees import conversions_caused
from attribution.paths import KINDS, LOOKBACK_US, Floats, Integers, Paths
from warehouse.errors import ConfigError, InsufficientDataError

DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US
USERS = 4000
CLICK_CAUSES, HELD_OUT = 0.25, 0.2


def _world(seed: int, *, impression_causes: float = 0.0) -> tuple[Histories, Integers, float]:
    """Keen users, a segment of their own, buy ten times as often, see more ads and click more.

    Returns the histories, and of the conversions caused the history, and their number by clicks.
    """
    rng = np.random.default_rng(seed)
    keen = np.arange(USERS) % 4 == 0
    ads = rng.poisson(np.where(keen, 2.0, 0.8))
    user = np.repeat(np.arange(USERS), ads)
    time_us = rng.integers(0, WEEK_US, len(user))
    campaign = rng.choice(["a", "b"], len(user))
    held = rng.random((USERS, 2)) < HELD_OUT
    shown = ~held[user, (campaign == "b").astype(int)]
    clicks = np.flatnonzero(shown & (rng.random(len(user)) < np.where(keen[user], 0.3, 0.1)))
    works = clicks[rng.random(len(clicks)) < CLICK_CAUSES]
    seen = np.flatnonzero(shown & (rng.random(len(user)) < impression_causes))
    wait_us = np.where(rng.random(len(works)) < 0.5, 0.1, 12) * HOUR_US
    own = np.flatnonzero(rng.random(USERS) < np.where(keen, 0.3, 0.03))
    bought = np.concatenate(
        [
            time_us[works] + 1e7 + rng.exponential(wait_us),
            time_us[seen] + rng.exponential(DAY_US, len(seen)),
            rng.integers(0, WEEK_US, len(own)),
        ]
    ).astype(np.int64)
    who = np.concatenate([user[works], user[seen], own])
    caused = np.arange(len(who)) < len(works) + len(seen)
    inside = bought < WEEK_US
    row = np.arange(len(user))
    rows = np.concatenate([row, clicks])
    histories = Histories.of(
        pl.DataFrame({"history": np.arange(USERS), "user": np.arange(USERS)}).with_columns(
            advertiser_id=pl.lit("adv"),
            segment=pl.Series(np.where(keen, "keen", "other")),
            weight=pl.lit(1.0),
        ),
        pl.DataFrame(
            {
                "history": user[rows],
                "campaign_id": campaign[rows],
                "kind": ["impression"] * len(row) + ["click"] * len(clicks),
                "time_us": np.concatenate([time_us, time_us[clicks] + 8_000_000]),
                "shown": shown[rows],
            }
        ),
        pl.DataFrame({"history": who[inside], "time_us": bought[inside]}).with_columns(
            probability=pl.lit(1.0), value=pl.lit(1.0)
        ),
        start_us=0,
        end_us=WEEK_US + 1,
    )
    return histories, who[inside & caused], float((inside & caused).sum())


@pytest.fixture(scope="module")
def world() -> tuple[Histories, Integers, float]:
    return _world(1)


@pytest.fixture(scope="module")
def model(world: tuple[Histories, Integers, float]) -> CounterfactualModel:
    return CounterfactualModel.fit(world[0])


def _sums(paths: Paths, credit: Floats) -> Floats:
    sums: Floats = np.bincount(paths.of_touch, credit, len(paths))
    return sums


def _with_withheld(paths: Paths, withheld: Integers) -> Paths:
    shown = paths.touches.shown.copy()
    shown[withheld] = False
    return replace(paths, touches=replace(paths.touches, shown=shown))


def test_credit_is_a_share(
    model: CounterfactualModel, world: tuple[Histories, Integers, float]
) -> None:
    paths = world[0].paths()

    credit = model.credit(paths)

    sums = _sums(paths, credit)
    assert credit.min() >= 0
    assert sums.max() <= 1
    assert sums.max() > 0.5


@given(seed=st.integers(0, 1000))
@settings(max_examples=5, deadline=None)
def test_a_withheld_touch_earns_nothing(
    seed: int, model: CounterfactualModel, world: tuple[Histories, Integers, float]
) -> None:
    paths = world[0].paths()
    withheld = np.flatnonzero(np.random.default_rng(seed).random(len(paths.touches)) < 0.3)

    credit = model.credit(_with_withheld(paths, withheld))

    assert (credit[withheld] == 0).all()
    assert credit.sum() > 0


def test_what_is_organic_is_the_intensity_without_any_touch(
    model: CounterfactualModel, world: tuple[Histories, Integers, float]
) -> None:
    histories = world[0]
    full = np.concatenate([histories.touches.time_us[:-1] + 1, [WEEK_US]])
    pick = np.flatnonzero(np.diff(histories.touch_history, append=USERS))  # the last touches
    none = replace(histories.touches, shown=np.zeros(len(histories.touches), dtype=np.bool_))
    without = replace(histories, touches=none)
    quiet = np.zeros(0, dtype=np.int64)
    plain = {
        "conversion_us": quiet,
        "conversion_history": quiet,
        "probability": np.zeros(0),
        "value": np.zeros(0),
    }
    at = int(np.median(full[pick]))

    with_all = model.expected(replace(histories, **plain), at, at + 1)
    with_none = model.expected(replace(without, **plain), at, at + 1)
    paths = _ends(replace(histories, **plain), at)
    organic = 1 - _sums(paths, model.credit(paths))

    np.testing.assert_allclose(organic, 1 - model.scale * (1 - with_none / with_all), rtol=1e-9)
    assert (organic < 0.9).any()


def _ends(histories: Histories, at_us: int) -> Paths:
    """Return all histories as paths, withheld ads included, that end at a moment."""
    kept = np.flatnonzero(histories.touches.time_us < at_us)
    size = len(histories)
    lengths = np.bincount(histories.touch_history[kept], minlength=size)
    return Paths(
        channels=histories.channels,
        advertisers=histories.advertisers,
        segments=histories.segments,
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        touches=histories.touches.take(kept),
        end_us=np.full(size, at_us),
        conversions=np.ones(size),
        values=np.ones(size),
        weights=np.ones(size),
        user=histories.user,
        advertiser=histories.advertiser,
        segment=histories.segment,
    )


def test_intent_told_by_segments_is_not_credited_to_ads(
    world: tuple[Histories, Integers, float],
) -> None:
    histories, _, caused = world
    told = _all_shown(histories)
    untold = replace(told, segment=np.zeros(USERS, dtype=np.int32), segments=("everybody",))

    sighted = _caused(CounterfactualModel.fit(told), told)
    unsighted = _caused(CounterfactualModel.fit(untold), untold)

    assert abs(sighted - caused) < 0.2 * caused
    assert abs(sighted - caused) < abs(unsighted - caused)


def test_ads_withheld_from_all_are_credited_nothing(
    world: tuple[Histories, Integers, float],
) -> None:
    histories, _, _ = world
    seen = histories.touches
    rows = np.flatnonzero(seen.kind == KINDS.index("impression"))
    withheld = replace(seen.take(rows), shown=np.zeros(len(rows), dtype=np.bool_))
    none = replace(histories, touches=withheld, touch_history=histories.touch_history[rows])

    model = CounterfactualModel.fit(none)

    assert model.credit(histories.paths()).min() >= 0
    assert len(model.credit(none.paths())) == 0


def _all_shown(histories: Histories) -> Histories:
    """Return histories without the withheld ads: no lift tells what was caused."""
    rows = np.flatnonzero(histories.touches.shown)
    return replace(
        histories,
        touches=histories.touches.take(rows),
        touch_history=histories.touch_history[rows],
    )


def _caused(model: CounterfactualModel, histories: Histories) -> float:
    paths = histories.paths()
    return float(model.credit(paths) @ paths.conversions[paths.of_touch])


def test_holdouts_give_impressions_what_they_cause() -> None:
    histories, _, caused = _world(2, impression_causes=0.08)
    blind = _all_shown(histories)

    known = conversions_caused(histories, lookback_us=LOOKBACK_US)
    told = _caused(CounterfactualModel.fit(histories), histories)
    untold = _caused(CounterfactualModel.fit(blind), blind)

    assert known is not None
    assert abs(known[0] - caused) < 3 * known[1] ** 0.5
    assert abs(told - caused) < abs(untold - caused)


def test_impressions_alone_are_credited_by_holdouts_and_never_without() -> None:
    histories, _, _ = _world(2, impression_causes=0.08)
    rows = np.flatnonzero(histories.touches.kind == KINDS.index("impression"))
    plain = replace(
        histories,
        touches=histories.touches.take(rows),
        touch_history=histories.touch_history[rows],
    )

    assert _caused(CounterfactualModel.fit(plain), plain) > 0
    assert _caused(CounterfactualModel.fit(_all_shown(plain)), _all_shown(plain)) == 0


def test_conversions_caused_are_treated_less_odds_times_control() -> None:
    histories = _four_users()

    known = conversions_caused(histories, lookback_us=LOOKBACK_US)

    # shown to three who bought twice, withheld from one who bought once: 2 - 3 * 1, 2 + 9 * 1
    assert known == (-1.0, 11.0)


def _four_users() -> Histories:
    return Histories.of(
        pl.DataFrame({"history": range(4), "user": range(4)}).with_columns(
            advertiser_id=pl.lit("adv"), segment=pl.lit("all"), weight=pl.lit(1.0)
        ),
        pl.DataFrame(
            {
                "history": range(4),
                "campaign_id": ["a"] * 4,
                "kind": ["impression"] * 4,
                "time_us": [0, HOUR_US, 2 * HOUR_US, 3 * HOUR_US],
                "shown": [True, True, True, False],
            }
        ),
        pl.DataFrame({"history": [0, 1, 3]}).with_columns(
            time_us=pl.lit(DAY_US), probability=pl.lit(1.0), value=pl.lit(1.0)
        ),
        start_us=0,
        end_us=2 * DAY_US,
    )


def test_a_model_read_back_is_the_same(
    model: CounterfactualModel, world: tuple[Histories, Integers, float]
) -> None:
    paths = world[0].paths()

    again = CounterfactualModel.from_json(model.to_json())

    assert again.to_json() == model.to_json()
    np.testing.assert_array_equal(again.credit(paths), model.credit(paths))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "[]",
        lambda text: json.dumps({"format": "adscribe counterfactual 1"}),
        lambda text: text.replace("Tree=0", "Tree=x"),
        lambda text: json.dumps({**json.loads(text), "scale": 0.5}),
        lambda text: json.dumps({**json.loads(text), "format": "another"}),
    ],
)
def test_a_text_that_is_no_such_model_is_refused(spoil, model: CounterfactualModel) -> None:
    text = spoil(model.to_json())

    with pytest.raises(ConfigError, match="Fit another"):
        CounterfactualModel.from_json(text)


def test_the_order_of_histories_and_paths_plays_no_part(
    model: CounterfactualModel, world: tuple[Histories, Integers, float]
) -> None:
    histories = world[0]
    order = np.random.default_rng(3).permutation(USERS)
    place = np.argsort(order)
    touch = np.argsort(place[histories.touch_history], kind="stable")
    found = np.argsort(place[histories.conversion_history], kind="stable")
    mixed = replace(
        histories,
        **{name: getattr(histories, name)[order] for name in ("user", "advertiser", "segment")},
        touches=histories.touches.take(touch),
        touch_history=place[histories.touch_history][touch],
        conversion_us=histories.conversion_us[found],
        conversion_history=place[histories.conversion_history][found],
    )

    again = CounterfactualModel.fit(mixed)

    assert again.intent_trees == model.intent_trees
    assert again.touch_trees == model.touch_trees
    assert again.growth == pytest.approx(model.growth, rel=1e-12)
    paths = histories.paths()
    np.testing.assert_allclose(again.credit(paths), model.credit(paths), rtol=1e-12)
    rows = np.flatnonzero(paths.conversions > 0)[::-1]
    one_by_one = _sums(paths.take(rows), model.credit(paths.take(rows)))
    np.testing.assert_allclose(one_by_one, _sums(paths, model.credit(paths))[rows], rtol=1e-12)


def test_threads_do_not_change_the_model(
    model: CounterfactualModel,
    world: tuple[Histories, Integers, float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    # LightGBM keeps the number of the last call: one of two threads comes in between
    data = lightgbm.Dataset(np.arange(200.0)[:, None], np.arange(200) % 2)
    lightgbm.train({"verbosity": -1, "num_threads": 2}, data, 2)

    again = CounterfactualModel.fit(world[0])

    assert again.to_json() == model.to_json()


@given(cut_hours=st.integers(1, 160))
@settings(max_examples=8, deadline=None)
def test_features_never_look_past_their_moment(
    cut_hours: int, world: tuple[Histories, Integers, float]
) -> None:
    histories = world[0]
    at = cut_hours * HOUR_US
    known = np.flatnonzero(histories.touches.time_us <= at)
    past = np.flatnonzero(histories.conversion_us < at)
    earlier = replace(
        histories,
        touches=histories.touches.take(known),
        touch_history=histories.touch_history[known],
        conversion_us=histories.conversion_us[past],
        conversion_history=histories.conversion_history[past],
    )

    full, cut = _features(histories, at), _features(earlier, at)

    np.testing.assert_array_equal(full, cut)
    assert full[:, : len(INTENT) - 3].any()


def _features(histories: Histories, at_us: int) -> Floats:
    of = np.arange(len(histories))
    moments = moments_of(histories, of, np.full(len(of), at_us), lookback_us=LOOKBACK_US)
    rates = Rates(np.ones((6, 3, 3, 2)), np.ones(3, dtype=np.bool_))
    doses = all_doses(moments, touch_doses(moments, rates))
    return np.hstack([intent_features(moments, rates), doses])


def test_rates_that_encode_a_fold_do_not_hang_on_its_conversions(
    world: tuple[Histories, Integers, float],
) -> None:
    histories = world[0]
    cases = moments_of(
        histories,
        histories.conversion_history,
        histories.conversion_us,
        lookback_us=LOOKBACK_US,
    )
    own = cases.fold == 2

    full = Rates.fit(histories, cases, np.ones(len(cases)))
    without = Rates.fit(histories, cases, (~own).astype(np.float64))

    np.testing.assert_array_equal(full.table[2], without.table[2])
    assert (full.table[-1] != without.table[-1]).any()


def test_density_is_that_of_the_draws(world: tuple[Histories, Integers, float]) -> None:
    histories = world[0]
    drawn = Controls.draw(histories, lookback_us=LOOKBACK_US)

    density = drawn.density(histories, drawn.history, drawn.time_us, lookback_us=LOOKBACK_US)

    # draws over their density measure the hours watched
    hours = len(histories) * (histories.end_us - histories.start_us) / HOUR_US
    assert (1 / density).sum() == pytest.approx(hours, rel=0.02)
    near = _hours_since_touch(histories, drawn) < 0.5
    truth = _hours_after_touches(histories, 0.5)
    assert (1 / density[near]).sum() == pytest.approx(truth, rel=0.05)


def _hours_since_touch(histories: Histories, drawn: Controls) -> Floats:
    seen = (histories.touch_history, histories.touches.time_us)
    last = first_not_before(*seen, drawn.history, drawn.time_us + 1) - 1
    theirs = (last >= 0) & (histories.touch_history[np.maximum(last, 0)] == drawn.history)
    age = drawn.time_us - histories.touches.time_us[np.maximum(last, 0)]
    return np.where(theirs, age / HOUR_US, np.inf)


def _hours_after_touches(histories: Histories, hours: float) -> float:
    """Return the hours that lie so soon after a touch, each counted once."""
    times, of = histories.touches.time_us, histories.touch_history
    following = np.append(np.where(np.diff(of) == 0, times[1:], histories.end_us), WEEK_US)
    return float((np.minimum(following - times, hours * HOUR_US) / HOUR_US).sum())


def test_no_column_is_of_money() -> None:
    words = ("cost", "bid", "price", "value", "cpo", "spend")

    assert not [name for name in (*INTENT, *DOSES) if any(word in name for word in words)]


def test_too_few_conversions_are_refused() -> None:
    with pytest.raises(InsufficientDataError, match="3 conversions"):
        CounterfactualModel.fit(_four_users())


def test_expected_conversions_of_the_days_fitted_on_are_those_seen(
    model: CounterfactualModel, world: tuple[Histories, Integers, float]
) -> None:
    histories = world[0]

    expected = sum(
        model.expected(histories, end - DAY_US, end).sum()
        for end in (histories.end_us - nth * DAY_US for nth in range(3))
    )

    late = histories.conversion_us >= histories.end_us - 3 * DAY_US
    assert expected == pytest.approx(late.sum(), rel=1e-6)


def test_campaigns_that_the_model_never_saw_are_credited_too(
    model: CounterfactualModel, world: tuple[Histories, Integers, float]
) -> None:
    paths = replace(world[0].paths(), channels=("a", "new"))

    credit = model.credit(paths)

    new = (paths.touches.channel == 1) & (paths.touches.kind == 0) & (paths.age_us < HOUR_US)
    assert credit[new].mean() > 0.3


def test_a_click_more_recent_never_earns_less_of_doses(
    world: tuple[Histories, Integers, float],
) -> None:
    histories = world[0]
    rates = Rates(np.ones((6, 3, 3, 2)), np.ones(3, dtype=np.bool_))
    of = histories.touch_history[:50]
    later = histories.touches.time_us[:50] + HOUR_US

    soon = _doses(moments_of(histories, of, later, lookback_us=WEEK_US, cut=False), rates)
    late = _doses(
        moments_of(histories, of, later + 1000, lookback_us=2 * WEEK_US, cut=False), rates
    )

    same = np.flatnonzero(np.diff(np.column_stack([soon[0], late[0]]))[:, 0] == 0)
    assert len(same) > 30
    assert (soon[1][same] >= late[1][same]).all()


def _doses(moments: Moments, rates: Rates) -> tuple[Integers, Floats]:
    return np.diff(moments.offsets), all_doses(moments, touch_doses(moments, rates))
