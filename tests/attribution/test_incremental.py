"""Laws of the mixture of opportunities, of what it is fitted on, and of incremental credit."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from attribution.conversions import HOUR_US
from attribution.histories import Histories
from attribution.holdouts.evidence import read_evidence
from attribution.holdouts.opportunity_mixture import AGES_US, OpportunityCounts, caused_conversions
from attribution.holdouts.readings import incremental_credit
from attribution.paths import KINDS, Bools, Floats, Integers
from warehouse.errors import ConfigError, InsufficientDataError

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


def test_drawing_every_user_once_counts_what_there_is() -> None:
    evidence = read_evidence(_world()[0])
    once = np.ones(len(evidence.probability))

    plain, drawn = evidence.opportunities(), evidence.opportunities(2 * once)

    np.testing.assert_array_equal(drawn.treated, 2 * plain.treated)
    np.testing.assert_array_equal(
        evidence.last_touches(once).ghosts, evidence.last_touches().ghosts
    )


def test_incremental_credit_is_nearer_the_truth_than_the_plain_lift() -> None:
    errors = []
    for seed in (1, 2, 3):
        histories, caused = _world(seed)
        found = incremental_credit(histories, replicates=0)
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
    histories, caused = _world()

    found = incremental_credit(histories, replicates=8)

    low, high = found["low"].to_numpy(), found["high"].to_numpy()
    assert ((low <= caused) & (caused <= high)).sum() >= CAMPAIGNS - 2
    assert (high - low > 0).all()
    assert (high - low).sum() < 2 * caused.sum()


def test_the_seed_alone_decides_errors() -> None:
    histories = _world()[0]

    first, again, other = (
        incremental_credit(histories, replicates=2, seed=seed)["standard_error"].to_list()
        for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


def test_a_model_like_the_answer_changes_nothing_and_another_only_as_lifts_agree() -> None:
    histories, caused = _world()
    plain = incremental_credit(histories, replicates=0)["incremental"].to_numpy()

    same = incremental_credit(histories, replicates=0, models={"same": 3 * plain})
    good = incremental_credit(histories, replicates=0, models={"true": caused})
    bad = incremental_credit(histories, replicates=0, models={"bad": caused[::-1].copy()})

    np.testing.assert_allclose(same["incremental"], plain, rtol=1e-9)
    moved = [np.abs(one["incremental"].to_numpy() - plain).sum() for one in (good, bad)]
    assert good["incremental"].sum() == pytest.approx(plain.sum())
    assert moved[1] < 0.1 * plain.sum()
    assert np.abs(good["incremental"].to_numpy() - caused).sum() <= np.abs(plain - caused).sum()


def test_too_few_held_out_conversions_are_no_evidence() -> None:
    touches = pl.DataFrame([(0, "a", "impression", 0, True)], schema=_SCHEMA, orient="row")
    won = pl.DataFrame({"history": [0], "time_us": [1]})

    with pytest.raises(InsufficientDataError, match="0 conversions after a withheld ad"):
        incremental_credit(_histories(touches, won, histories=1))


def test_a_models_credit_must_be_one_figure_of_each_campaign() -> None:
    with pytest.raises(ConfigError, match="model short"):
        incremental_credit(_world()[0], models={"short": np.ones(2)}, replicates=0)
