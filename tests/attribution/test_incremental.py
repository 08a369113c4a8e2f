"""Laws of the mixture of opportunities, of what it is fitted on, and of the incremental model."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import truncnorm

from attribution.conversions import HOUR_US
from attribution.histories import Histories
from attribution.holdouts.evidence import read_evidence
from attribution.holdouts.opportunity_mixture import AGES_US, OpportunityCounts, caused_conversions
from attribution.learned.caused import incremental_credit
from attribution.learned.effects import HazardBasis
from attribution.learned.hazard import AdditiveHazard
from attribution.learned.incremental import IncrementalModel
from attribution.paths import KINDS, Bools, Floats, Integers, Paths
from warehouse.errors import ConfigError

CAMPAIGNS = 6
DAY_US = 24 * HOUR_US
NAMES = tuple(f"c{number}" for number in range(CAMPAIGNS))
_SCHEMA = {
    "history": pl.Int64, "campaign_id": pl.String, "kind": pl.String, "time_us": pl.Int64,
    "shown": pl.Boolean,
}  # fmt: skip


def _histories(
    touches: pl.DataFrame, conversions: pl.DataFrame, *, histories: int, advertisers: int = 1
) -> Histories:
    number = np.arange(histories)
    owner = number % advertisers
    return Histories.of(
        pl.DataFrame(
            {
                "history": number,
                "user": number // advertisers,
                "advertiser_id": [f"adv{one}" for one in owner],
                "segment": "all",
                "weight": 1.0,
            }
        ),
        touches,
        conversions.with_columns(probability=pl.lit(1.0), value=pl.lit(1.0)),
        start_us=0,
        end_us=7 * DAY_US,
    )


@cache
def _world(seed: int = 1, users: int = 18_000) -> tuple[Histories, Floats]:
    """Return histories of users of whom some are shopping, and what each campaign caused.

    Campaigns of odd number meet people who shop; clicks are no likelier for them.
    """
    rng = np.random.default_rng(seed)
    shopping = rng.random(users) < 0.1
    bought = np.flatnonzero(shopping & (rng.random(users) < 0.5))
    shop_us = rng.integers(0, 6 * DAY_US, users)
    frames, won = [], [(bought, shop_us[bought] + _wait(rng, 12, len(bought)))]
    plain = rng.poisson(0.03, users)
    won.append((np.repeat(np.arange(users), plain), rng.integers(0, 7 * DAY_US, plain.sum())))
    caused = np.zeros(CAMPAIGNS)
    for campaign in range(CAMPAIGNS):
        chance = np.where(shopping, 0.6, 0.15) if campaign % 2 else np.full(users, 0.25)
        who = np.flatnonzero(rng.random(users) < chance)
        drawn_us = rng.integers(0, 6 * DAY_US, len(who))
        near = shop_us[who] + _wait(rng, 4, len(who))
        at = np.where(shopping[who] & (campaign % 2 == 1), near, drawn_us)
        shown = rng.random(len(who)) > 0.2
        clicked = shown & (rng.random(len(who)) < 0.15)
        effect = 0.02 + 0.02 * campaign
        from_view = np.flatnonzero(shown & (rng.random(len(who)) < effect / 2))
        from_click = np.flatnonzero(clicked & (rng.random(len(who)) < 6 * effect))
        view_us = at[from_view] + _wait(rng, 24, len(from_view))
        click_us = at[from_click] + 20_000_000 + _wait(rng, 3, len(from_click))
        inside = [view_us < 7 * DAY_US, click_us < 7 * DAY_US]
        won.append((who[from_view][inside[0]], view_us[inside[0]]))
        won.append((who[from_click][inside[1]], click_us[inside[1]]))
        caused[campaign] = inside[0].sum() + inside[1].sum()
        frames += [
            _touches(who, NAMES[campaign], "impression", at, shown),
            _touches(who[clicked], NAMES[campaign], "click", at[clicked] + 10_000_000, True),
        ]
    conversions = pl.DataFrame(
        {
            "history": np.concatenate([row[0] for row in won]),
            "time_us": np.concatenate([row[1] for row in won]),
        }
    )
    return _histories(pl.concat(frames), conversions, histories=users), caused


@cache
def _model() -> IncrementalModel:
    """Return the model of that world."""
    return IncrementalModel.fit(_world()[0], replicates=2)


@cache
def _credit(seed: int = 1, replicates: int = 2) -> pl.DataFrame:
    """Return the incremental credit of a world."""
    return incremental_credit(_world(seed)[0], replicates=replicates)


def _wait(rng: np.random.Generator, hours: float, rows: int) -> Integers:
    return np.asarray(rng.exponential(hours * HOUR_US, rows)).astype(np.int64)


def _touches(
    who: Integers,
    campaign: str,
    kind: str,
    at: Integers,
    shown: Bools | bool,
) -> pl.DataFrame:
    frame = pl.DataFrame({"history": who, "time_us": at})
    told = shown if isinstance(shown, bool) else pl.Series(shown)
    return frame.select(
        "history",
        pl.lit(campaign).alias("campaign_id"),
        pl.lit(kind).alias("kind"),
        "time_us",
        (pl.lit(told) if isinstance(told, bool) else told).alias("shown"),
    )


def test_counts_that_are_exactly_a_mixture_give_back_what_was_caused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("attribution.holdouts.opportunity_mixture._ROUNDS", 5000)  # to the very end
    ages = len(AGES_US)
    early = np.exp(-np.arange(ages))
    curves = np.stack([early / early.sum(), np.ones(ages) / ages])
    level = np.array([[2e5, 4e5], [6e5, 2e5], [1e5, 9e5], [5e5, 5e5]])
    touches = np.array([[6e5, 0, 9e6], [2e5, 0, 8e6], [9e5, 0, 9e6], [3e5, 0, 9e6]])
    kernel = np.zeros((3, ages))
    kernel[0] = 0.4 * curves[0]
    kernel[2] = 0.02 / ages
    factor = np.array([1.0, 0.5, 1.5, 1.0])
    caused = (factor[:, None] * touches) @ kernel

    found = caused_conversions(
        OpportunityCounts(
            treated=level @ curves + caused,
            control=level @ curves / 9,
            odds=np.full(4, 9.0),
            touches=touches,
            advertiser=np.zeros(4, dtype=np.int64),
        )
    )

    np.testing.assert_allclose(found, caused.sum(axis=1), rtol=0.02)


def test_caused_conversions_are_nothing_less_and_no_more_than_there_are() -> None:
    rng = np.random.default_rng(2)
    treated = rng.poisson(30, (5, len(AGES_US))).astype(np.float64)
    treated[4] = 0
    control = rng.poisson(4, (5, len(AGES_US))).astype(np.float64)

    found = caused_conversions(
        OpportunityCounts(
            treated=treated,
            control=control,
            odds=np.array([9.0, 9, np.inf, 4, 9]),
            touches=rng.poisson(500, (5, 3)).astype(np.float64),
            advertiser=np.array([0, 0, 1, 1, 1]),
        )
    )

    assert (found >= 0).all()
    assert (found <= treated.sum(axis=1) + 1e-9).all()
    assert found[4] == 0


def test_evidence_counts_the_last_touch_and_what_it_would_have_been() -> None:
    rows = [
        (0, "a", "click", 0, True),
        (0, "a", "impression", 0, True),
        (0, "b", "impression", HOUR_US, False),
        (1, "b", "impression", 0, True),
    ]
    touches = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    won = pl.DataFrame({"history": [0, 1], "time_us": [2 * HOUR_US, 2 * DAY_US]})

    evidence = read_evidence(_histories(touches, won, histories=2))

    last, offered = evidence.last_touches(), evidence.opportunities()
    click, view, impression = range(len(KINDS))
    # the click of a is the last touch; the view of b is too old to be
    assert last.touched.sum() == 1
    assert last.touched[0, click, 1, 0] == 1
    # the withheld ad of b would have come last as a click, later than that of a, and only so
    assert last.ghosts.sum() == 1
    assert last.ghosts[1, click, 1, 1] == 1
    assert last.ghosts[:, [view, impression]].sum() == 0
    np.testing.assert_array_equal(last.users, [[1, 0], [1, 1]])
    assert offered.treated.sum(axis=1).tolist() == [1, 1]
    assert offered.control.sum(axis=1).tolist() == [0, 1]
    assert offered.odds.tolist() == [np.inf, 1]


def test_conversions_count_for_their_worth() -> None:
    evidence = read_evidence(_world()[0])
    once = np.ones(len(evidence.probability))

    plain, twice = evidence.opportunities(), evidence.opportunities(2 * once)

    np.testing.assert_array_equal(twice.treated, 2 * plain.treated)
    np.testing.assert_array_equal(
        evidence.last_touches(once).ghosts, evidence.last_touches().ghosts
    )


def test_incremental_credit_is_nearer_the_truth_than_the_plain_lift() -> None:
    errors = []
    for seed in (1, 2, 3):
        caused, found = _world(seed)[1], _credit(seed)
        errors.append(
            [
                np.abs(found[column].to_numpy() - caused).sum() / caused.sum()
                for column in ("incremental", "lift")
            ]
        )

    mean = np.mean(errors, axis=0)
    assert mean[0] < 0.15
    assert mean[0] < 0.6 * mean[1]


def test_intervals_hold_what_was_caused() -> None:
    caused = _world()[1]

    found = _credit(replicates=8)

    low, high = found["low"].to_numpy(), found["high"].to_numpy()
    assert ((low <= caused) & (caused <= high)).sum() >= CAMPAIGNS - 2
    assert (high - low > 0).all()
    assert (high - low).sum() < 2 * caused.sum()


def test_the_seed_alone_decides_errors() -> None:
    histories = _world()[0]

    first = _credit()["standard_error"].to_list()
    again, other = (
        incremental_credit(histories, replicates=2, seed=seed)["standard_error"].to_list()
        for seed in (0, 1)
    )

    assert first == again
    assert first != other


def test_the_answer_is_a_mean_of_the_readings_and_of_the_hazard() -> None:
    found = _credit()

    part = found["hazard_part"].to_numpy()
    readings = (found["by_last_touch"] + found["by_opportunity"]).to_numpy() / 2
    mean = (1 - part) * readings + part * found["by_hazard"].to_numpy()
    np.testing.assert_allclose(found["incremental"], mean)


def test_a_hazard_of_another_form_than_the_world_has_little_say() -> None:
    caused = _world()[1]  # effects of clicks fade sooner than those of views

    found = _credit(replicates=8)

    assert found["by_hazard"].sum() < 0.85 * caused.sum()
    assert 0 < found["hazard_part"][0] < 0.1


def test_without_holdouts_the_hazard_answers_alone() -> None:
    histories = _all_shown(_world()[0])

    model = IncrementalModel.fit(histories, replicates=2)
    found = incremental_credit(histories, replicates=2)

    assert model.basis == (HazardBasis.NONE,) * CAMPAIGNS
    assert found["hazard_part"].to_list() == [1.0] * CAMPAIGNS
    np.testing.assert_array_equal(found["incremental"], found["by_hazard"])
    assert (
        found.select("by_last_touch", "by_opportunity", "lift").null_count().row(0)
        == (CAMPAIGNS,) * 3
    )
    np.testing.assert_allclose(model.corrections, 0.0, atol=1e-9)


def test_too_few_held_out_conversions_are_as_none() -> None:
    histories, _ = _world()
    held = np.flatnonzero(~histories.touches.shown)[20:]
    kept = np.setdiff1d(np.arange(len(histories.touches)), held)
    few = replace(
        histories,
        touches=histories.touches.take(kept),
        touch_history=histories.touch_history[kept],
    )

    assert set(IncrementalModel.fit(few, replicates=2).basis) == {HazardBasis.NONE}
    assert set(_model().basis) == {HazardBasis.HOLDOUT}


@pytest.mark.parametrize("withheld", [["c3"], list(NAMES)])
def test_a_campaign_that_is_withheld_from_all_caused_nothing(withheld: list[str]) -> None:
    histories, _ = _world()
    gone = np.isin(histories.touches.channel, [NAMES.index(name) for name in withheld])
    kept = np.flatnonzero(~gone | (histories.touches.kind == KINDS.index("impression")))
    touches = replace(histories.touches, shown=histories.touches.shown & ~gone).take(kept)
    none = replace(histories, touches=touches, touch_history=histories.touch_history[kept])

    found = incremental_credit(none, replicates=2)

    own = found.filter(pl.col("campaign_id").is_in(withheld))
    assert own["incremental"].to_list() == [0.0] * len(withheld)
    assert own["lift"].null_count() == len(withheld)
    assert (found["incremental"] > 0).sum() == CAMPAIGNS - len(withheld)


def test_credit_sums_to_what_each_campaign_caused() -> None:
    histories, _ = _world()
    paths = histories.paths()
    model = _model()

    np.testing.assert_allclose(_earned(model, paths), model.credited)
    np.testing.assert_allclose(model.credited, model.incremental, rtol=1e-3)
    sums = np.bincount(paths.of_touch, model.credit(paths), minlength=len(paths))
    assert (sums <= 1 + 1e-12).all()


def test_touches_that_may_earn_earn_what_the_others_caused() -> None:
    histories, _ = _world()
    whole = histories.paths()
    eligible = _without(whole, whole.age_us > 2 * DAY_US)
    model = replace(_model(), standard_error=np.zeros(CAMPAIGNS))

    met = model.meeting(eligible)

    assert _earned(model, eligible).sum() < 0.995 * model.incremental.sum()
    np.testing.assert_allclose(_earned(met, eligible), met.credited)
    np.testing.assert_allclose(met.credited, model.incremental)
    np.testing.assert_array_equal(met.incremental, model.incremental)


def test_goals_beyond_all_conversions_are_met_as_nearly_as_may_be() -> None:
    histories, _ = _world()
    model = _model()
    none = _without(histories.paths(), np.ones(len(histories.paths().of_touch), dtype=np.bool_))
    some = histories.paths().take(np.arange(200))

    assert model.meeting(none).corrections.tolist() == [0.0] * (CAMPAIGNS + 1)
    assert model.meeting(none).credited.tolist() == [0.0] * CAMPAIGNS
    met = model.meeting(some)
    np.testing.assert_allclose(_earned(met, some), met.credited)
    assert (met.credited <= model.incremental).all()
    assert met.credited.sum() <= some.conversions.sum()


def test_where_all_conversions_may_be_too_many_fewer_are_earned() -> None:
    """Of four conversions after a campaign's touches, four with an error of two are some three."""
    model = _model()
    paths = Paths.of([["c1"]] * 4, [1, 1, 1, 1])
    sums = np.zeros(CAMPAIGNS)
    sums[1] = 4.0
    sure = replace(model, incremental=sums, standard_error=np.zeros(CAMPAIGNS))
    unsure = replace(sure, standard_error=np.where(sums > 0, 2.0, 0.0))

    assert sure.meeting(paths).credited[1] == 4
    found = unsure.meeting(paths).credited[1]
    assert found == pytest.approx(truncnorm(-2, 0, loc=4, scale=2).mean())
    assert unsure.meeting(paths).corrections[1] < 1


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.floats(0, 3), min_size=CAMPAIGNS, max_size=CAMPAIGNS),
    st.integers(0, 2**16),
)
def test_corrected_credit_sums_to_any_goals_that_there_is_room_for(
    ratios: list[float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    paths = _world()[0].paths().take(rng.integers(0, 15_000, 300))
    model = _model()
    goals = np.array(ratios) * _earned(replace(model, corrections=model.corrections * 0), paths)
    wanted = replace(model, incremental=goals, standard_error=np.zeros(CAMPAIGNS))

    met = wanted.meeting(paths)

    credit = met.credit(paths)
    sums = np.bincount(paths.of_touch, credit, minlength=len(paths))
    np.testing.assert_allclose(_earned(met, paths), met.credited, atol=1e-9)
    free = met.corrections[:-1] < 1
    np.testing.assert_allclose(met.credited[free], goals[free], atol=1e-9)
    assert (met.credited <= goals + 1e-9).all()
    assert (credit >= 0).all()
    assert (sums <= 1 + 1e-12).all()


def test_unknown_campaigns_earn_nothing_amiss() -> None:
    model = _model()
    paths = Paths.of([["c1"], ["new"], []], [1, 1, 1])

    credit = model.credit(paths)

    assert 0 <= credit[1] < 1
    assert credit[0] == model.credit(paths.take(np.array([0])))[0]


def test_a_model_is_read_back_as_it_was() -> None:
    histories, model = _world()[0], _model()

    again = IncrementalModel.from_json(model.to_json())

    assert again.to_json() == model.to_json()
    np.testing.assert_array_equal(again.credit(histories.paths()), model.credit(histories.paths()))


@pytest.mark.parametrize(
    "change",
    [
        {"model": "additive hazard"},
        {"corrections": [1.0]},
        {"corrections": [1.5] * (CAMPAIGNS + 1)},
        {"total_error": -1.0},
        {"incremental": [-1.0] * CAMPAIGNS},
        {"standard_error": None},
        {"hazard": {}},
        {"basis": ["guess"] * CAMPAIGNS},
        {"basis": ["none"]},
    ],
)
def test_a_text_that_is_no_such_model_is_refused(change: dict[str, object]) -> None:
    text = _model().to_json()

    with pytest.raises(ConfigError, match=r"model text: it is no .* Fit it again"):
        IncrementalModel.from_json(json.dumps({**json.loads(text), **change}))


def test_forecasts_are_those_of_the_hazard() -> None:
    histories, _ = _world()
    span = histories.end_us - DAY_US, histories.end_us

    found = _model().expected(histories, *span)

    np.testing.assert_array_equal(found, AdditiveHazard.fit(histories).expected(histories, *span))


def test_one_replicate_tells_no_error() -> None:
    with pytest.raises(ConfigError, match="replicates = 1"):
        incremental_credit(_world()[0], replicates=1)


def _earned(model: IncrementalModel, paths: Paths) -> Floats:
    each = (paths.conversions * paths.weights)[paths.of_touch]
    earned = np.bincount(paths.touches.channel, model.credit(paths) * each, minlength=CAMPAIGNS)
    return np.asarray(earned, dtype=np.float64)


def _all_shown(histories: Histories) -> Histories:
    shown = np.flatnonzero(histories.touches.shown)
    return replace(
        histories,
        touches=histories.touches.take(shown),
        touch_history=histories.touch_history[shown],
    )


def _without(paths: Paths, touches: Bools) -> Paths:
    """Return paths without some touches."""
    kept = np.flatnonzero(~touches)
    lengths = np.bincount(paths.of_touch[kept], minlength=len(paths))
    return replace(
        paths,
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        touches=paths.touches.take(kept),
    )


def test_no_campaign_takes_all_that_is_organic_after_its_touches_unless_it_is_sure() -> None:
    """Two campaigns before the same conversions have room for a half of them each."""
    model = _model()
    paths = Paths.of([["c1", "c2"]] * 6, [1] * 6)
    sums = np.where(np.isin(np.arange(CAMPAIGNS), [1, 2]), 5.0, 0.0)
    unsure = replace(model, incremental=sums, standard_error=np.where(sums > 0, 1.0, 0.0))

    met = unsure.meeting(paths)

    assert (met.corrections[[1, 2]] < 0.9).all()
    assert 4.5 < met.credited.sum() < 5.5
