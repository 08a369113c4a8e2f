"""The next day is predicted by the days before it alone, and the figures are scikit-learn's."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcgrad.metrics import expected_calibration_error
from scipy import stats
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from calibration.calibrators import IsotonicCalibrator
from calibration.errors import CalibrationError, InsufficientDataError, InvalidSampleError
from calibration.metrics import calibration_ratio
from calibration.parametric import SigmoidCalibrator
from calibration.rolling import AS_IT_IS, roll_forward
from calibration.segmented import SegmentedCalibrator

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
FIRST = date(2026, 3, 1)


class Isotonic:
    """scikit-learn's isotonic regression, with its exact 0 and 1 kept off."""

    def fit(self, y_true: Bools, y_prob: Floats, weight: Floats | None = None) -> "Isotonic":
        """Learn."""
        self.model = IsotonicRegression(y_min=1e-4, y_max=1 - 1e-4, out_of_bounds="clip")
        self.model.fit(y_prob, y_true, sample_weight=weight)
        return self

    def predict(self, y_prob: Floats) -> Floats:
        """Return probabilities."""
        return self.model.predict(y_prob)


class Sigmoid:
    """scikit-learn's logistic regression on the logit; one class is not enough for it."""

    def fit(self, y_true: Bools, y_prob: Floats, weight: Floats | None = None) -> "Sigmoid":
        """Learn."""
        if y_true.all() or not y_true.any():
            raise InsufficientDataError("one class only")
        self.model = LogisticRegression(C=1e6).fit(self.logit(y_prob), y_true, weight)
        return self

    def predict(self, y_prob: Floats) -> Floats:
        """Return probabilities."""
        return self.model.predict_proba(self.logit(y_prob))[:, 1]

    @staticmethod
    def logit(y_prob: Floats) -> Floats:
        """Return logits as a column."""
        return np.log(y_prob / (1 - y_prob))[:, None]


@dataclass
class Mean:
    """Predicts the rate it has seen, and remembers what it has been given."""

    seen: list[Floats] = field(default_factory=list)
    asked: list[Floats] = field(default_factory=list)
    rate: float = 0.0

    def fit(self, y_true: Bools, y_prob: Floats, weight: Floats | None = None) -> "Mean":
        """Learn."""
        self.seen.append(y_prob.copy())
        return Mean(self.seen, self.asked, float(np.average(y_true, weights=weight)))

    def predict(self, y_prob: Floats) -> Floats:
        """Return probabilities."""
        self.asked.append(y_prob.copy())
        return np.full(len(y_prob), self.rate)


@dataclass
class Constant:
    """Predicts the same always."""

    value: float

    def fit(self, y_true: Bools, y_prob: Floats, weight: Floats | None = None) -> "Constant":
        """Learn."""
        return self

    def predict(self, y_prob: Floats) -> Floats:
        """Return probabilities."""
        return np.full(len(y_prob), self.value)


def days_of_rows(
    seed: int, *, days: int = 12, rows: int = 800, distortion: float = 2.0
) -> pl.DataFrame:
    """Return rows by day, in random order, whose logits are a multiple of the right ones."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-1.5, 1, days * rows)
    true = 1 / (1 + np.exp(-logit))
    frame = pl.DataFrame(
        {
            "day": pl.Series([FIRST + timedelta(days=n) for n in range(days)] * rows),
            "y_true": rng.random(days * rows) < true,
            "y_prob": 1 / (1 + np.exp(-distortion * logit)),
            "weight": rng.integers(0, 3, days * rows).astype(np.float64),
        }
    )
    return frame.sample(fraction=1, shuffle=True, seed=seed)


def test_no_day_is_predicted_by_a_fit_that_saw_it_or_a_later_one() -> None:
    number = np.repeat(np.arange(10), 3)
    frame = pl.DataFrame({"day": number, "y_true": number % 2, "y_prob": number / 10}).sample(
        fraction=1, shuffle=True, seed=1
    )
    spy = Mean()

    roll_forward(frame, calibrators={"spy": spy}, train_days=4)

    assert len(spy.seen) == len(spy.asked) == 6
    for place, (seen, asked) in enumerate(zip(spy.seen, spy.asked, strict=True)):
        assert set(asked) == {(place + 4) / 10}
        assert set(seen) == {day / 10 for day in range(place, place + 4)}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weight", [None, "weight"])
def test_figures_are_scikit_learns_and_mcgrads(seed: int, weight: str | None) -> None:
    frame = days_of_rows(seed, days=5)

    days = roll_forward(
        frame, calibrators={"half": Constant(0.5)}, train_days=2, weight=weight
    ).days

    assert len(days) == 6
    for row in days.iter_rows(named=True):
        part = frame.filter(pl.col("day") == row["day"])
        y, w = part["y_true"].to_numpy(), part[weight].to_numpy() if weight else None
        p = np.full(len(y), 0.5) if row["name"] == "half" else part["y_prob"].to_numpy()
        assert row["log_loss"] == pytest.approx(log_loss(y, p, sample_weight=w), rel=1e-12)
        assert row["brier"] == pytest.approx(brier_score_loss(y, p, sample_weight=w), rel=1e-12)
        assert row["ratio"] == pytest.approx(calibration_ratio(y, p, weight=w), rel=1e-12)
        error = expected_calibration_error(y, p, num_bins=15, sample_weight=w)
        assert row["error"] == pytest.approx(error, rel=1e-6)


def test_calibrators_that_undo_the_distortion_are_better_than_as_it_is() -> None:
    calibrators = {"isotonic": Isotonic(), "sigmoid": Sigmoid(), "half": Constant(0.5)}

    result = roll_forward(days_of_rows(1), calibrators=calibrators, train_days=7)

    loss = {
        row["name"]: row
        for row in result.summary.filter(pl.col("figure") == "log_loss").iter_rows(named=True)
    }
    assert list(loss) == [AS_IT_IS, "isotonic", "sigmoid", "half"]
    assert loss["isotonic"]["high"] < 0
    assert loss["sigmoid"]["high"] < 0
    assert loss["half"]["low"] > 0
    assert loss[AS_IT_IS]["difference"] == loss[AS_IT_IS]["low"] == loss[AS_IT_IS]["high"] == 0


def test_difference_has_the_interval_of_the_paired_t_test() -> None:
    result = roll_forward(days_of_rows(2), calibrators={"sigmoid": Sigmoid()}, train_days=5)

    for figure in ("log_loss", "brier", "error"):
        ours = result.days.pivot(on="name", index="day", values=figure)
        oracle = stats.ttest_rel(ours["sigmoid"], ours[AS_IT_IS]).confidence_interval()
        row = result.summary.row(
            by_predicate=(pl.col("name") == "sigmoid") & (pl.col("figure") == figure), named=True
        )
        assert row["days"] == 7
        assert row["mean"] == pytest.approx(ours["sigmoid"].mean())
        assert (row["low"], row["high"]) == pytest.approx((oracle.low, oracle.high), rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.booleans(), st.floats(0, 1), st.integers(0, 3)),
        max_size=30,
    ),
    st.sampled_from([0.25, 4.0]),
)
def test_row_of_weight_two_counts_as_two_rows(
    rows: list[tuple[int, bool, float, int]], scale: float
) -> None:
    columns = ["day", "y_true", "y_prob", "weight"]
    surely = [(day, True, 0.5, 1) for day in range(1, 5)]
    frame = pl.DataFrame([*rows, *surely], orient="row", schema=columns)
    copies = frame.select(pl.all().repeat_by("weight")).filter(pl.col("weight").list.len() > 0)

    weighted, repeated, scaled = (
        roll_forward(table, calibrators={"mean": Mean()}, train_days=2, weight=weight)
        for table, weight in (
            (frame, "weight"),
            (copies.explode(pl.all()), None),
            (frame.with_columns(pl.col("weight") * scale), "weight"),
        )
    )

    for other in (repeated, scaled):
        for ours, theirs in ((weighted.days, other.days), (weighted.summary, other.summary)):
            numbers = [name for name in ours.columns if ours[name].dtype == pl.Float64]
            left, right = (
                table.select(numbers).fill_null(-1).to_numpy() for table in (ours, theirs)
            )
            assert np.allclose(left, right, rtol=1e-9, atol=1e-12)


def test_days_that_cannot_be_learned_from_have_no_figures_and_do_not_count() -> None:
    frame = pl.DataFrame(
        {
            "day": np.repeat(np.arange(5), 4),
            "y_true": [0, 0, 0, 0] * 2 + [0, 1, 0, 1] * 3,
            "y_prob": [0.1, 0.4, 0.2, 0.3] * 5,
        }
    )

    result = roll_forward(frame, calibrators={"sigmoid": Sigmoid()}, train_days=2)

    sigmoid = result.days.filter(pl.col("name") == "sigmoid")
    assert sigmoid["log_loss"].is_null().to_list() == [True, False, False]
    assert result.summary["days"].to_list() == [3] * 3 + [2] * 3


def test_days_without_events_have_no_ratio_and_certain_mistakes_a_finite_loss() -> None:
    frame = pl.DataFrame({"day": [1, 2], "y_true": [1, 0], "y_prob": [0.5, 0.5]})

    result = roll_forward(frame, calibrators={"sure": Constant(1.0)}, train_days=1)

    row = result.days.row(1, named=True)
    assert row["ratio"] is None
    assert row["log_loss"] == pytest.approx(log_loss([0], [1.0], labels=[0, 1]), rel=1e-9)
    assert (row["brier"], row["error"]) == (1, 1)
    assert result.summary.row(3)[-2:] == (None, None)


def test_rows_of_weight_zero_make_no_day() -> None:
    frame = pl.DataFrame(
        {"day": [1, 2, 3], "y_true": [1, 0, 1], "y_prob": [0.5, 0.5, 0.5], "weight": [1, 0, 2]}
    )

    days = roll_forward(frame, calibrators={}, train_days=1, weight="weight").days

    assert days["day"].to_list() == [3]


@pytest.mark.parametrize(
    ("calibrators", "options", "error", "told"),
    [
        ({AS_IT_IS: Constant(0.5)}, {}, CalibrationError, "may be called"),
        ({}, {"train_days": 0}, CalibrationError, "at least 1"),
        ({}, {"train_days": 3}, InsufficientDataError, "3 days: give more"),
        ({}, {"day": "date"}, InvalidSampleError, "no column date"),
        ({}, {"day": "gaps"}, InvalidSampleError, "1 days are missing"),
        ({"wild": Constant(1.5)}, {}, InvalidSampleError, "calibrator wild, day 2: y_prob"),
        ({"blind": Constant(np.nan)}, {}, InvalidSampleError, "calibrator blind, day 2: y_prob"),
    ],
)
def test_what_cannot_be_rolled_is_refused(
    calibrators: dict[str, Constant], options: dict[str, object], error: type, told: str
) -> None:
    frame = pl.DataFrame(
        {"day": [1, 2, 3], "gaps": [1, None, 3], "y_true": [0, 1, 0], "y_prob": [0.5, 0.5, 0.5]}
    )

    with pytest.raises(error, match=told):
        roll_forward(frame, calibrators=calibrators, **{"train_days": 1, **options})


def test_calibrators_of_the_package_can_be_tried() -> None:
    rng = np.random.default_rng(5)
    days = np.repeat(np.arange(9), 300)
    prob = rng.random(len(days))
    frame = pl.DataFrame({"day": days, "y_prob": prob, "y_true": rng.random(len(days)) < prob**2})
    tried = {"sigmoid": SigmoidCalibrator(), "isotonic": IsotonicCalibrator()}
    summary = roll_forward(frame, calibrators=tried).summary
    better = summary.filter(pl.col("name") != "as it is", pl.col("figure") == "log_loss")
    assert sorted(better["name"]) == ["isotonic", "sigmoid"]
    assert (better["difference"] < 0).all()


def test_a_segmented_calibrator_is_rolled_with_its_segments() -> None:
    rng = np.random.default_rng(6)
    part, prob = rng.integers(0, 2, 6_000), rng.random(6_000)
    happened = rng.random(6_000) < np.where(part == 1, prob**3, prob)
    frame = pl.DataFrame(
        {"day": np.arange(6_000) // 600, "part": part, "y_prob": prob, "y_true": happened}
    )
    tried = {"one": SigmoidCalibrator(), "each": SegmentedCalibrator()}

    with pytest.raises(CalibrationError, match="calibrator each is segmented: name the column"):
        roll_forward(frame, calibrators=tried)
    rolled = roll_forward(frame, calibrators=tried, segments="part")

    loss = dict(rolled.summary.filter(figure="log_loss").select("name", "mean").iter_rows())
    assert loss["each"] < loss["one"] - 0.01
    past = frame.filter(pl.col("day") < 7)
    today = frame.filter(pl.col("day") == 7)
    fitted = SegmentedCalibrator().fit(past["y_true"], past["y_prob"], segments=past["part"])
    predicted = fitted.predict(today["y_prob"], segments=today["part"])
    first = rolled.days.filter(name="each")["log_loss"][0]
    assert first == pytest.approx(log_loss(today["y_true"], predicted))
