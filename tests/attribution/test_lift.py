"""Laws of arms and of lifts."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from attribution.histories import Histories
from attribution.holdouts.arms import Comparison, arm_counts
from attribution.holdouts.lift import estimate_lifts, lifts, score_interval
from attribution.paths import LOOKBACK_US
from warehouse.errors import ConfigError, InsufficientDataError

Touch = tuple[int, str, str, int, bool]
Won = tuple[int, int, float]


def _histories(touches: list[Touch], conversions: list[Won], *, users: int = 10) -> Histories:
    owners = [("x", "old"), ("x", "new")]
    return Histories.of(
        pl.DataFrame(
            {
                "history": range(users),
                "user": range(users),
                "advertiser_id": [owners[user % 2][0] for user in range(users)],
                "segment": [owners[user % 2][1] for user in range(users)],
                "weight": [1.0] * users,
            }
        ),
        pl.DataFrame(
            touches,
            schema={
                "history": pl.Int64,
                "campaign_id": pl.String,
                "kind": pl.String,
                "time_us": pl.Int64,
                "shown": pl.Boolean,
            },
            orient="row",
        ),
        pl.DataFrame(
            [(*row, 1.0) for row in conversions],
            schema={
                "history": pl.Int64,
                "time_us": pl.Int64,
                "probability": pl.Float64,
                "value": pl.Float64,
            },
            orient="row",
        ),
        start_us=0,
        end_us=10 * LOOKBACK_US,
    )


def _counts(rows: list[tuple[str, str, float, float, float, float]]) -> pl.DataFrame:
    """Return counts of pairs that convert once at most."""
    names = ("campaign_id", "name", "treated_users", "control_users")
    frame = pl.DataFrame(
        rows, schema=[*names, "treated_conversions", "control_conversions"], orient="row"
    )
    return frame.with_columns(
        treated_squares=pl.col("treated_conversions").cast(pl.Float64),
        control_squares=pl.col("control_conversions").cast(pl.Float64),
        contaminated_users=pl.lit(0.0),
    )


def test_a_pair_is_held_out_where_its_ad_was_withheld() -> None:
    touches = [(0, "a", "impression", 5, True), (1, "a", "impression", 5, False)]

    counts = arm_counts(_histories(touches, [(0, 6, 1.0), (1, 7, 0.5)]))

    row = counts.row(0, named=True)
    assert (row["treated_users"], row["control_users"]) == (1, 1)
    assert (row["treated_conversions"], row["control_conversions"]) == (1.0, 0.5)
    assert (row["treated_squares"], row["control_squares"]) == (1.0, 0.25)


def test_conversions_count_from_the_opportunity_to_the_edge_of_the_lookback() -> None:
    touches = [(0, "a", "impression", 100, True)]
    won = [(0, time_us, 1.0) for time_us in (99, 100, 100 + LOOKBACK_US, 101 + LOOKBACK_US)]
    histories = _histories(touches, won)

    exposed = arm_counts(histories)["treated_conversions"].item()
    assigned = arm_counts(histories, comparison=Comparison.ASSIGNED)["treated_conversions"].item()

    assert (exposed, assigned) == (2.0, 4.0)


def test_one_conversion_counts_once_for_each_campaign_before_it() -> None:
    touches = [
        (0, "a", "impression", 1, True),
        (0, "a", "impression", 2, True),
        (0, "b", "impression", 3, False),
    ]

    counts = arm_counts(_histories(touches, [(0, 4, 1.0)]))

    assert counts["treated_conversions"].to_list() == [1.0, 0.0]
    assert counts["control_conversions"].to_list() == [0.0, 1.0]


def test_clicks_without_an_opportunity_bring_nobody_into_the_population() -> None:
    touches = [(0, "a", "impression", 1, False), (1, "a", "click", 1, True)]

    counts = arm_counts(_histories(touches, [(1, 2, 1.0)]))

    assert counts["treated_users"].item() == 0
    assert counts["treated_conversions"].item() == 0


def test_ads_shown_to_held_out_users_are_counted_and_flagged() -> None:
    touches = [(user, "a", "impression", 1, user % 2 == 0) for user in range(10)]
    clean = lifts(_histories(touches, [(0, 2, 1.0)]))
    spoilt = lifts(_histories([*touches, (1, "a", "click", 2, True)], [(0, 2, 1.0)]))

    assert not clean["contaminated"].item()
    assert spoilt["contaminated"].item()
    assert (clean["contaminated_users"].item(), spoilt["contaminated_users"].item()) == (0, 1)
    assert spoilt["reason"].item() == "contaminated; too_few"


def test_each_dimension_has_the_same_users_and_conversions() -> None:
    touches = [
        (user, campaign, "impression", 1, (user + shift) % 3 > 0)
        for user in range(10)
        for shift, campaign in enumerate("ab")
    ]
    histories = _histories(touches, [(user, 5, 1.0) for user in range(0, 10, 3)])
    surfaces = {"a": "feed", "b": "feed"}

    tables = [
        arm_counts(histories, by=by, groups=surfaces if by == "surface" else None)
        for by in ("campaign", "advertiser", "surface", "segment")
    ]

    sums = [table.select(pl.col(pl.Float64).sum()).row(0) for table in tables]
    assert all(row == sums[0] for row in sums)
    assert sorted(tables[3]["name"].unique()) == ["new", "old"]


def test_the_difference_is_scaled_by_the_users_of_the_arms() -> None:
    table = estimate_lifts(_counts([("a", "a", 9000.0, 1000.0, 540.0, 40.0)]))

    row = table.row(0, named=True)
    assert row["incremental"] == pytest.approx(540 - 9 * 40)
    assert row["lift"] == pytest.approx(540 / 360 - 1)
    variance = 540 - 540**2 / 9000 + 81 * (40 - 40**2 / 1000)
    assert row["standard_error"] == pytest.approx(np.sqrt(variance))
    treated, control = 540 - 540**2 / 9000, 81 * (40 - 40**2 / 1000)
    counted, scale = np.array([540.0, 360.0]), np.array([treated / 540, control / 360])
    low, high = score_interval(counted, scale, 1 - row["p_value"])
    assert np.hypot(540 - low[0], high[1] - 360) == pytest.approx(180)  # the interval ends at 0
    null = np.sqrt(9 * (540 + 40))
    assert row["detectable_lift"] == pytest.approx((1.959964 + 0.841621) * null / 360, rel=1e-5)


def test_detectable_lifts_rest_on_the_variance_of_the_draw_of_arms() -> None:
    rng = np.random.default_rng(4)
    conversions = np.repeat([0, 1, 3], [1500, 400, 100])
    drawn = rng.random((4000, 2000)) < 0.2
    control = drawn @ conversions
    score = 0.8 / 0.2 * control - (conversions.sum() - control)

    spread = np.sqrt(0.8 / 0.2 * (conversions**2).sum())

    assert score.std() == pytest.approx(spread, rel=0.03)


def test_equal_arms_have_p_values_that_are_even() -> None:
    rng = np.random.default_rng(5)
    rows = [
        (f"c{row}", f"c{row}", 9000.0, 1000.0, float(won), float(kept))
        for row, (won, kept) in enumerate(
            zip(rng.poisson(900, 2000), rng.poisson(100, 2000), strict=True)
        )
    ]

    p_values = estimate_lifts(_counts(rows))["p_value"].to_numpy()

    counted = np.histogram(p_values, bins=10, range=(0, 1))[0]
    assert chisquare(counted).pvalue > 0.001


@pytest.mark.parametrize("controls", [1, 3, 8, 30])
def test_p_values_of_few_conversions_mislead_no_more_often_than_they_say(controls: int) -> None:
    rng = np.random.default_rng(9)
    won, kept = rng.poisson(9 * controls, 3000), rng.poisson(controls, 3000)
    rows = [
        (f"c{row}", f"c{row}", 90_000.0, 10_000.0, float(won[row]), float(kept[row]))
        for row in range(3000)
    ]

    p_values = estimate_lifts(_counts(rows))["p_value"]

    assert (p_values < 0.1).mean() < 0.115
    assert (p_values < 0.05).mean() < 0.06


@settings(max_examples=60, deadline=None)
@given(
    won=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 30)), min_size=1, max_size=6),
    often=st.integers(1, 3),
)
def test_a_p_value_is_small_just_where_the_interval_leaves_0_out(
    won: list[tuple[int, int]], often: int
) -> None:
    counts = _counts([(f"c{n}", f"c{n}", 900.0, 100.0, *pair) for n, pair in enumerate(won)])
    counts = counts.with_columns(pl.col("treated_squares", "control_squares") * often)

    table = estimate_lifts(counts)

    for name, chance in (("90", 0.1), ("95", 0.05)):
        outside = (table[f"low_{name}"] > 0) | (table[f"high_{name}"] < 0)
        assert outside.to_list() == (table["p_value"] < chance).to_list()
    assert table["p_value"].is_between(0, 1).all()
    assert (table.filter(pl.col("incremental") == 0)["p_value"] > 1 - 1e-9).all()


def test_intervals_hold_the_truth_as_often_as_said() -> None:
    rng = np.random.default_rng(6)
    won, kept = rng.poisson(900 + 300, 3000), rng.poisson(100, 3000)
    rows = [
        (f"c{row}", f"c{row}", 90_000.0, 10_000.0, float(won[row]), float(kept[row]))
        for row in range(3000)
    ]

    table = estimate_lifts(_counts(rows))

    for low, high, truth, level in (
        ("low_90", "high_90", 300, 0.9),
        ("low_95", "high_95", 300, 0.95),
        ("lift_low", "lift_high", 1 / 3, 0.9),
    ):
        held = ((table[low] <= truth) & (table[high] >= truth)).mean()
        assert held == pytest.approx(level, abs=0.02)


def test_users_who_convert_often_widen_intervals() -> None:
    once = _counts([("a", "a", 9000.0, 1000.0, 540.0, 40.0)])
    often = once.with_columns(
        treated_squares=4 * pl.col("treated_squares"), control_squares=4 * pl.col("control_squares")
    )

    errors = [estimate_lifts(counts)["standard_error"].item() for counts in (once, often)]

    assert 1.9 < errors[1] / errors[0] < 2.2


@settings(max_examples=30, deadline=None)
@given(
    counted=st.lists(st.integers(0, 300), min_size=4, max_size=4),
    level=st.floats(0.5, 0.99),
)
def test_sums_over_campaigns_are_the_lift_of_a_group(counted: list[int], level: float) -> None:
    first = ("a", 3000.0, 1000.0, float(counted[0]), float(counted[1]))
    second = ("b", 9000.0, 1000.0, float(counted[2]), float(counted[3]))
    apart = estimate_lifts(_counts([(row[0], row[0], *row[1:]) for row in (first, second)]))

    group = estimate_lifts(
        _counts([(row[0], "both", *row[1:]) for row in (second, first)]), level=level
    )

    assert group["incremental"].item() == pytest.approx(apart["incremental"].sum())
    error = np.linalg.norm(apart["standard_error"].to_numpy())
    assert group["standard_error"].item() == pytest.approx(error)
    assert group["low_95"].item() <= group["low_90"].item() <= group["incremental"].item() + 1e-9
    assert group["incremental"].item() <= group["high_90"].item() + 1e-9
    assert group["high_90"].item() <= group["high_95"].item()


def test_without_control_conversions_the_upper_limit_is_what_was_won() -> None:
    table = estimate_lifts(_counts([("a", "a", 9000.0, 1000.0, 40.0, 0.0)]))

    row = table.row(0, named=True)
    assert row["lift"] is None
    assert row["low_90"] < 20 < 40 < row["high_90"]
    assert row["weak"]


def test_arms_that_are_not_split_as_the_others_are_flagged() -> None:
    rows = [(name, name, 9000.0, 1000.0, 540.0, 40.0) for name in "abcdefgh"]

    table = estimate_lifts(_counts([*rows, ("z", "z", 9300.0, 700.0, 540.0, 40.0)]))

    assert table["unbalanced"].to_list() == [False] * 8 + [True]
    assert table["reason"].to_list() == [""] * 8 + ["unbalanced"]


def test_a_configured_share_is_what_arms_are_held_against() -> None:
    counts = _counts([("a", "a", 9000.0, 1000.0, 540.0, 40.0)])

    assert not estimate_lifts(counts)["unbalanced"].item()
    assert estimate_lifts(counts, held_out=0.2)["unbalanced"].item()


def test_shrinking_draws_noisy_lifts_together_and_errs_less() -> None:
    rng = np.random.default_rng(8)
    truth = 300 + 20 * rng.standard_normal(60)
    rows = [
        (f"c{row:02}", f"c{row:02}", 9e4, 1e4, float(rng.poisson(900 + true)), float(kept))
        for row, (true, kept) in enumerate(zip(truth, rng.poisson(100, 60), strict=True))
    ]

    table = estimate_lifts(_counts(rows))

    plain = np.abs(table["incremental"].to_numpy() - truth).mean()
    shrunk = np.abs(table["shrunk"].to_numpy() - truth).mean()
    assert shrunk < plain / 2
    held = (table["shrunk_low"].to_numpy() <= truth) & (truth <= table["shrunk_high"].to_numpy())
    assert held.mean() > 0.8


def test_rows_in_another_order_give_the_same_table() -> None:
    rows = [(f"c{row}", "ab"[row % 2], 9e3 + row, 1e3, 500.0 + row, 50.0) for row in range(7)]
    counts = _counts(rows)

    first, second = estimate_lifts(counts), estimate_lifts(counts.reverse())

    figures = first.select(pl.col(pl.Float64)).columns
    assert first.drop(figures).equals(second.drop(figures))
    for column in figures:
        np.testing.assert_allclose(first[column], second[column], rtol=1e-9)


def test_a_score_interval_ends_where_the_count_is_just_as_unlikely() -> None:
    low, high = score_interval(np.array([50.0]), np.array([2.0]), 0.95)

    for mean in (low[0], high[0]):
        assert abs(50 - mean) / np.sqrt(2 * mean) == pytest.approx(1.959964, rel=1e-6)


def test_what_cannot_be_used_is_said() -> None:
    histories = _histories([(0, "a", "impression", 1, True)], [(0, 2, 1.0)])

    with pytest.raises(InsufficientDataError, match="held-out"):
        lifts(histories)
    with pytest.raises(ConfigError, match="no such dimension"):
        lifts(histories, by="creative")
    with pytest.raises(ConfigError, match="surface"):
        lifts(histories, by="surface")
    with pytest.raises(ConfigError, match="a has no surface"):
        lifts(histories, by="surface", groups={"b": "feed"})
    with pytest.raises(ConfigError, match="level"):
        lifts(histories, level=1.0)
