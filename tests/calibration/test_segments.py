"""Segments have intervals that cover and tests that err as often as stated; the worst is first."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_diagnostics.calibration import compute_bias
from scipy import stats

from calibration.errors import CalibrationError, InvalidSampleError
from calibration.metrics import calibration_ratio
from calibration.segments import Correction, calibration_by

Floats = npt.NDArray[np.float64]
FIGURES = ["weight", "events", "expected", "ratio", "low", "high", "p_value", "q_value"]
PROBABILITIES = {
    "rare": lambda rng, shape: rng.beta(1, 99, shape),
    "few events": lambda rng, shape: np.repeat(rng.uniform(0.005, 0.05, shape[0]), shape[1]),
    "likely": lambda rng, shape: rng.beta(18, 2, shape),
    "both ends": lambda rng, shape: np.where(rng.random(shape) < 0.5, 0.02, 0.97),
}


def draws(kind: str, rows: int, segments: int, seed: int, *, shift: float = 0.0) -> pl.DataFrame:
    """Return equal segments whose true probabilities are those given with their logits shifted."""
    rng = np.random.default_rng(seed)
    probability = PROBABILITIES[kind](rng, (segments, rows)).ravel()
    odds = probability / (1 - probability) * np.exp(shift)
    happened = rng.random(rows * segments) < odds / (1 + odds)
    name = np.repeat(np.arange(segments), rows)
    return pl.DataFrame({"y_true": happened, "y_prob": probability, "name": name})


def mixed(count: int, seed: int) -> pl.DataFrame:
    """Return rows in segments of two columns, of which country=b happens 1.5 times as often."""
    rng = np.random.default_rng(seed)
    country = rng.choice(["a", "b", "c", "d"], count)
    probability = rng.beta(1, 15, count)
    happened = rng.random(count) < probability * np.where(country == "b", 1.5, 1)
    return pl.DataFrame(
        {
            "y_true": happened.astype(np.int8),
            "y_prob": probability,
            "weight": rng.integers(1, 4, count).astype(np.float64),
            "country": country,
            "device": pl.Series(rng.choice(["ios", "web", None], count).tolist()),
            "user": rng.integers(0, count // 5, count),
        }
    )


@pytest.mark.parametrize("shift", [0.0, 0.6, -0.6])
@pytest.mark.parametrize("kind", PROBABILITIES)
def test_interval_of_the_ratio_covers_the_true_one(kind: str, shift: float) -> None:
    frame = draws(kind, 200, 250, seed=2, shift=shift)

    table = calibration_by(frame, ["name"])

    odds = frame["y_prob"] / (1 - frame["y_prob"]) * np.exp(shift)
    sums = (
        frame.with_columns(true=odds / (1 + odds))
        .group_by("name")
        .agg(pl.col("y_prob", "true").sum())
    )
    true_ratios = pl.select(
        segment=pl.format("name={}", sums["name"]), true=sums["y_prob"] / sums["true"]
    )
    joined = table.join(true_ratios, on="segment")
    hits = (joined["low"] <= joined["true"]) & (joined["true"] <= joined["high"].fill_null(np.inf))
    assert 0.92 <= hits.mean() <= 0.985


@pytest.mark.parametrize("kind", PROBABILITIES)
def test_one_in_twenty_calibrated_segments_has_a_p_value_below_a_twentieth(kind: str) -> None:
    table = calibration_by(draws(kind, 300, 400, seed=1), ["name"])

    assert 0.025 <= (table["p_value"] <= 0.05).mean() <= 0.075
    assert table["flagged"].sum() <= 2


@pytest.mark.parametrize("seed", range(3))
def test_p_value_is_that_of_the_binomial_where_probabilities_are_equal(seed: int) -> None:
    frame = draws("few events", 200, 30, seed, shift=0.3)

    table = calibration_by(frame, ["name"])

    chances = table["expected"].to_numpy() / 200
    of = stats.binom(200, chances)
    events = table["events"].to_numpy()
    lower, upper = of.cdf(events) - of.pmf(events) / 2, of.sf(events) + of.pmf(events) / 2
    oracle = np.minimum(1, 2 * np.minimum(lower, upper))
    assert np.abs(table["p_value"].to_numpy() - oracle).max() < 1e-9


@pytest.mark.parametrize("kind", PROBABILITIES)
def test_p_value_is_that_of_the_poisson_binomial_or_close_to_it(kind: str) -> None:
    frame = draws(kind, 120, 25, 2, shift=0.2)

    table = calibration_by(frame, ["name"])

    # A binomial of the same three moments stands for the sum of unequal draws; where these are few
    # (a variance of 3) and at both ends, its fourth is too small.
    tolerance = 0.02 if kind == "both ends" else 0.001
    for (name,), part in frame.group_by("name"):
        of, events = stats.poisson_binom(part["y_prob"].to_numpy()), int(part["y_true"].sum())
        half = of.pmf(events) / 2
        oracle = min(1, 2 * min(of.cdf(events) - half, of.sf(events) + half))
        ours = table.row(by_predicate=pl.col("segment") == f"name={name}", named=True)
        assert abs(ours["p_value"] - oracle) < tolerance


def test_interval_leaves_out_one_where_the_p_value_is_small_and_only_there() -> None:
    table = calibration_by(draws("both ends", 200, 150, 3, shift=0.3), ["name"])

    outside = (table["low"] > 1) | (table["high"] < 1)
    assert outside.to_list() == (table["p_value"] < 0.05).to_list()
    assert 5 < outside.sum() < 145


@pytest.mark.filterwarnings("ignore:the string cache:DeprecationWarning")  # the oracle's
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weight", [None, "weight"])
def test_bias_of_segments_is_model_diagnostics(seed: int, weight: str | None) -> None:
    frame = mixed(20_000, seed)

    table = calibration_by(frame, ["country"], weight=weight).sort("segment")

    oracle = compute_bias(
        frame["y_true"], frame["y_prob"], frame["country"], frame[weight] if weight else None
    ).sort("country")
    bias = (table["expected"] - table["events"]) / table["weight"]
    assert np.abs(bias - oracle["bias_mean"]).max() < 1e-12
    assert table["weight"].to_list() == oracle["bias_weights"].to_list()
    assert table["rows"].to_list() == oracle["bias_count"].to_list()
    if weight is None:
        # Its t-test takes the variance from the residuals, ours from the probabilities; with
        # weights it counts rows where ours counts weight, and so has other p-values by definition.
        assert np.abs(table["p_value"] - oracle["p_value"]).max() < 0.05


@pytest.mark.parametrize("correction", list(Correction))
def test_q_values_are_scipys(correction: Correction) -> None:
    table = calibration_by(
        mixed(5_000, 1), ["country", "device"], depth=2, correction=correction
    ).filter(pl.col("p_value").is_not_null())

    oracle = stats.false_discovery_control(table["p_value"], method=correction.value)
    assert np.abs(table["q_value"].to_numpy() - oracle).max() < 1e-12
    assert table["flagged"].to_list() == (oracle <= 0.05).tolist()


def test_segment_that_lies_comes_first_and_is_flagged() -> None:
    table = calibration_by(mixed(20_000, 2), ["device", "country"])

    first = table.row(0, named=True)
    assert (first["segment"], first["flagged"]) == ("country=b", True)
    assert first["high"] < 1
    assert not table.filter(pl.col("segment").is_in(["country=a", "country=c"]))["flagged"].any()


def test_every_value_and_pair_of_values_is_a_segment_and_null_is_one() -> None:
    frame = mixed(2_000, 3)

    alone = calibration_by(frame, ["device", "country"])
    pairs = calibration_by(frame, ["device", "country"], depth=2)

    assert set(alone["segment"]) == {
        *("device=ios", "device=web", "device is null"),
        *(f"country={name}" for name in "abcd"),
    }
    assert len(pairs) == 7 + 12
    assert "device is null, country=b" in set(pairs["segment"])
    assert pairs["rows"].sum() == 3 * len(frame)
    part = frame.filter(pl.col("device").is_null(), pl.col("country") == "b")
    row = pairs.row(by_predicate=pl.col("segment") == "device is null, country=b", named=True)
    assert row["ratio"] == pytest.approx(calibration_ratio(part["y_true"], part["y_prob"]))


@pytest.mark.parametrize("kind", ["rare", "likely", "both ends"])
def test_smallest_detectable_error_is_found_four_times_in_five(kind: str) -> None:
    calm = calibration_by(draws(kind, 3_000, 1, 4), ["name"])
    error = calm["smallest_detectable"][0]
    found = []
    for side in (1 + error, 1 - error):
        frame = draws(kind, 3_000, 1, 4)
        probability = frame["y_prob"].to_numpy()
        shifts = np.linspace(-3, 3, 601)
        odds = probability / (1 - probability)
        means = [np.mean(1 / (1 + np.exp(-shift) / odds)) for shift in shifts]
        nearest = int(np.argmin(np.abs(np.array(means) / probability.mean() - side)))
        if abs(means[nearest] / probability.mean() - side) > 0.05 * error:
            continue
        tested = calibration_by(draws(kind, 3_000, 100, 5, shift=shifts[nearest]), ["name"])
        found.append((tested["p_value"] < 0.05).mean())
    assert 0.7 <= max(found) <= 0.9


def test_more_segments_make_the_smallest_detectable_error_larger() -> None:
    frame = mixed(5_000, 4)

    few, many = (
        calibration_by(frame, ["country", "device"], depth=depth).sort("segment")
        for depth in (1, 2)
    )

    both = few.join(many, on="segment")
    assert (both["smallest_detectable"] < both["smallest_detectable_right"]).all()
    yekutieli = calibration_by(
        frame, ["country", "device"], correction=Correction.BENJAMINI_YEKUTIELI
    ).sort("segment")
    assert (yekutieli["smallest_detectable"] > few["smallest_detectable"]).all()


def test_clusters_that_agree_within_widen_the_interval_until_it_covers() -> None:
    rng = np.random.default_rng(6)
    users, each, segments = 60, 6, 250
    effect = np.repeat(2 * rng.integers(0, 2, users * segments), each)
    happened = rng.random(len(effect)) < 0.2 * effect
    frame = pl.DataFrame(
        {
            "y_true": happened,
            "y_prob": np.full(len(effect), 0.2),
            "name": np.repeat(np.arange(segments), users * each),
            "user": np.repeat(np.arange(users * segments), each),
        }
    )

    plain = calibration_by(frame, ["name"])
    clustered = calibration_by(frame, ["name"], cluster="user")

    assert (plain["p_value"] < 0.05).mean() > 0.15
    assert 0.03 <= (clustered["p_value"] < 0.05).mean() <= 0.07


def test_clusters_make_the_scale_of_weights_irrelevant() -> None:
    frame = mixed(5_000, 7)

    one, three = (
        calibration_by(
            frame.with_columns(pl.col("weight") * scale),
            ["country"],
            weight="weight",
            cluster="user",
        )
        for scale in (1, 3)
    )

    for name in ("ratio", "low", "high", "p_value", "q_value", "smallest_detectable"):
        assert np.allclose(one[name], three[name], rtol=1e-6)


def test_clusters_of_one_row_change_little_without_weights() -> None:
    frame = mixed(20_000, 8).with_row_index("row")

    plain, clustered = (
        calibration_by(frame, ["country"], cluster=cluster).sort("segment")
        for cluster in (None, "row")
    )

    assert np.allclose(plain["low"], clustered["low"], rtol=0.02)
    assert np.allclose(plain["high"], clustered["high"], rtol=0.02)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.floats(0, 1),
            st.integers(0, 3),
            st.sampled_from(["x", "y", None]),
            st.integers(0, 4),
        ),
        min_size=1,
        max_size=40,
    ),
    st.booleans(),
)
def test_row_of_weight_two_counts_as_two_rows(
    rows: list[tuple[bool, float, int, str | None, int]], clustered: bool
) -> None:
    columns = ["y_true", "y_prob", "weight", "name", "user"]
    frame = pl.DataFrame([*rows, (True, 0.5, 1, "x", 0)], orient="row", schema=columns)
    copies = frame.select(pl.all().repeat_by("weight")).filter(pl.col("weight").list.len() > 0)
    copies = copies.explode(pl.all())
    cluster = "user" if clustered else None

    weighted = calibration_by(frame, ["name"], weight="weight", cluster=cluster, min_weight=3)
    repeated = calibration_by(copies, ["name"], cluster=cluster, min_weight=3)

    weighted, repeated = weighted.sort("segment"), repeated.sort("segment")
    assert weighted["segment"].to_list() == repeated["segment"].to_list()
    for name in [*FIGURES, "smallest_detectable"]:
        ours, theirs = (table[name].fill_null(-1).to_numpy() for table in (weighted, repeated))
        assert np.allclose(ours, theirs, rtol=1e-6, atol=1e-9), name


def test_segments_without_events_or_predictions_have_stated_results() -> None:
    frame = pl.DataFrame(
        {
            "y_true": [0, 0, 0, 0, 1, 1, 1, 1],
            "y_prob": [0.2, 0.2, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0],
            "name": ["none", "none", "nothing", "nothing", "never", "never", "sure", "sure"],
        }
    )

    table = calibration_by(frame, ["name"], min_weight=0)

    rows = {row["segment"][5:]: row for row in table.iter_rows(named=True)}
    assert rows["none"]["ratio"] is rows["none"]["high"] is None
    assert 0 < rows["none"]["low"] < 1
    assert rows["nothing"]["low"] is rows["nothing"]["ratio"] is None
    assert rows["nothing"]["p_value"] == pytest.approx(1)
    assert rows["never"]["ratio"] == rows["never"]["low"] == rows["never"]["high"] == 0
    assert rows["never"]["p_value"] < 1e-9
    assert rows["never"]["flagged"]
    assert rows["sure"]["ratio"] == 1
    assert rows["sure"]["p_value"] == pytest.approx(1)
    assert table["segment"][0] == "name=never"


def test_light_segments_have_an_interval_but_no_test() -> None:
    frame = draws("likely", 10, 1, 9)

    row = calibration_by(frame, ["name"]).row(0, named=True)

    assert row["p_value"] is row["q_value"] is row["smallest_detectable"] is None
    assert not row["flagged"]
    assert row["low"] < row["high"]


def test_one_row_is_a_segment() -> None:
    frame = pl.DataFrame({"y_true": [1], "y_prob": [0.25], "name": ["x"]})

    row = calibration_by(frame, ["name"], min_weight=0).row(0, named=True)

    assert row["ratio"] == 0.25
    assert row["p_value"] == pytest.approx(0.25)  # mid-P: twice half of the chance to be right


def test_columns_may_be_named_like_sums() -> None:
    frame = draws("rare", 100, 3, 10).rename({"name": "weight"})

    table = calibration_by(frame, ["weight"])

    assert sorted(table["segment"]) == ["weight=0", "weight=1", "weight=2"]


@pytest.mark.parametrize(
    ("by", "options", "told"),
    [
        (["nome"], {}, "no column nome"),
        ([], {}, "each column once"),
        (["name", "name"], {}, "each column once"),
        (["name"], {"depth": 3}, "depth 1 or 2"),
        (["name"], {"level": 1.0}, "between 0 and 1"),
        (["name"], {"weight": "w"}, "no column w"),
        (["name"], {"cluster": "u"}, "no column u"),
        (["name"], {"y_prob": "name"}, "out of range"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    by: list[str], options: dict[str, object], told: str
) -> None:
    with pytest.raises(CalibrationError, match=told):
        calibration_by(draws("rare", 10, 3, 11), by, **options)


def test_missing_outcomes_are_refused() -> None:
    frame = pl.DataFrame({"y_true": [True, None], "y_prob": [0.5, 0.5], "name": ["x", "x"]})

    with pytest.raises(InvalidSampleError, match="column y_true: 1 of 2 values are null"):
        calibration_by(frame, ["name"])


@pytest.mark.parametrize("clusters", [2, 3, 8, 200])
def test_clusters_that_are_all_alike_do_not_make_a_ratio_certain(clusters: int) -> None:
    frame = pl.DataFrame(
        {
            "name": ["x"] * (4 * clusters),
            "user": np.repeat(np.arange(clusters), 4),
            "y_true": [0, 0, 0, 1] * clusters,
            "y_prob": [0.26] * (4 * clusters),
        }
    )

    segment = calibration_by(frame, "name", cluster="user", min_weight=0)

    assert segment["p_value"][0] > 0.5
    assert not segment["flagged"][0]
    assert segment["low"][0] < 1.04 < segment["high"][0]
