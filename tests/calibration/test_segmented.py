"""One calibrator a segment."""

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit

from calibration.calibrators import IsotonicCalibrator
from calibration.errors import CalibrationError, InsufficientDataError, InvalidSampleError
from calibration.parametric import BetaCalibrator, SigmoidCalibrator
from calibration.segmented import SegmentedCalibrator

SHIFTS = np.array([-1.0, 0.0, 1.5])
GRID = np.linspace(0.02, 0.98, 49)


def _generated(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    segments = generator.integers(0, 3, rows)
    y_prob = generator.beta(2, 4, rows)
    return generator.random(rows) < expit(logit(y_prob) + SHIFTS[segments]), y_prob, segments


def test_large_segments_are_calibrated_each() -> None:
    y_true, y_prob, segments = _generated(1, 30_000)

    fitted = SegmentedCalibrator().fit(y_true, y_prob, segments=segments)

    for segment, shift in enumerate(SHIFTS):
        predicted = fitted.predict(GRID, segments=np.full(49, segment))
        assert np.abs(predicted - expit(logit(GRID) + shift)).max() < 0.04


def test_unseen_null_and_weightless_segments_get_the_whole() -> None:
    y_true, y_prob, segments = _generated(2, 2_000)
    weight = np.where(segments == 2, 0.0, 1.0)

    fitted = SegmentedCalibrator().fit(y_true, y_prob, segments=segments, weight=weight)
    whole = SigmoidCalibrator().fit(y_true, y_prob, weight=weight).predict(GRID)

    assert fitted.names == ("0", "1")
    for segment in (None, 2, 77):
        column = pl.Series([segment] * 49, dtype=pl.Int64)
        assert np.array_equal(fitted.predict(GRID, segments=column), whole)
    with pytest.raises(InvalidSampleError, match="2 were fitted; give that of each row"):
        fitted.predict(GRID)


def test_more_pseudo_events_bring_a_segment_nearer_to_the_whole() -> None:
    y_true, y_prob, segments = _generated(3, 600)
    own = BetaCalibrator().fit(y_true[segments == 2], y_prob[segments == 2]).predict(GRID)
    whole = BetaCalibrator().fit(y_true, y_prob).predict(GRID)

    def predicted(pseudo_events: float) -> np.ndarray:
        calibrator = SegmentedCalibrator(base=BetaCalibrator(), pseudo_events=pseudo_events)
        fitted = calibrator.fit(y_true, y_prob, segments=segments)
        return fitted.predict(GRID, segments=["2"] * 49)

    distances = [np.abs(predicted(events) - whole).mean() for events in (1e-6, 10, 100, 1e7)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-3
    assert np.abs(predicted(1e-6) - own).max() < 1e-3


@pytest.mark.parametrize("base", [SigmoidCalibrator(), IsotonicCalibrator()])
def test_a_segment_without_events_moves_down_but_not_to_0(
    base: SigmoidCalibrator | IsotonicCalibrator,
) -> None:
    y_true, y_prob, segments = _generated(4, 3_000)
    y_true[segments == 1] = False

    fitted = SegmentedCalibrator(base=base).fit(y_true, y_prob, segments=segments)

    empty, whole = fitted.predict([0.4, 0.4], segments=pl.Series([1, None]))
    assert 0 < empty < 0.25 * whole


def test_a_segment_of_one_row_is_like_the_whole() -> None:
    y_true, y_prob, segments = _generated(5, 3_000)
    names = pl.Series(segments).cast(pl.String).scatter(7, "alone")

    fitted = SegmentedCalibrator().fit(y_true, y_prob, segments=names)

    alone, whole = fitted.predict([y_prob[7]] * 2, segments=pl.Series(["alone", None]))
    assert alone == pytest.approx(whole, abs=0.05)


def test_segments_may_be_of_any_type_and_are_text() -> None:
    y_true, y_prob, segments = _generated(6, 400)
    expected = SegmentedCalibrator().fit(y_true, y_prob, segments=segments)

    texts = [str(segment) for segment in segments]
    categories = pl.Series(texts, dtype=pl.Categorical)
    missing = np.where(segments == 0, np.nan, segments)

    assert SegmentedCalibrator().fit(y_true, y_prob, segments=texts) == expected
    assert SegmentedCalibrator().fit(y_true, y_prob, segments=categories) == expected
    assert SegmentedCalibrator().fit(y_true, y_prob, segments=missing).names == ("1", "2")


def test_a_row_of_weight_two_is_two_rows_of_its_segment() -> None:
    y_true, y_prob, segments = _generated(7, 500)
    weight = np.random.default_rng(7).integers(0, 3, 500)

    weighted = SegmentedCalibrator().fit(y_true, y_prob, segments=segments, weight=weight)
    repeated = SegmentedCalibrator().fit(
        np.repeat(y_true, weight), np.repeat(y_prob, weight), segments=np.repeat(segments, weight)
    )

    for segment in range(3):
        column = np.full(49, segment)
        difference = weighted.predict(GRID, segments=column) - repeated.predict(
            GRID, segments=column
        )
        assert np.abs(difference).max() < 1e-9


def test_wrong_segments_are_refused() -> None:
    with pytest.raises(InvalidSampleError, match="segments: 1 values for 2 rows"):
        SegmentedCalibrator().fit([0, 1], [0.1, 0.2], segments=["a"])
    with pytest.raises(InvalidSampleError, match="segments: not a column of one type"):
        SegmentedCalibrator().fit([0, 1], [0.1, 0.2], segments=["a", 1])
    with pytest.raises(InvalidSampleError, match="pseudo_events"):
        SegmentedCalibrator(pseudo_events=0)
    with pytest.raises(InsufficientDataError, match="both outcomes"):
        SegmentedCalibrator().fit([1, 1], [0.1, 0.2], segments=["a", "b"])
    with pytest.raises(CalibrationError, match="not fitted"):
        SegmentedCalibrator().predict([0.1], segments=["a"])


def test_several_segments_of_which_none_was_fitted_are_refused() -> None:
    y_true, y_prob, segments = _generated(6, 400)
    fitted = SegmentedCalibrator().fit(y_true, y_prob, segments=segments)

    with pytest.raises(InvalidSampleError, match="none of 2, such as 'de', was fitted"):
        fitted.predict([0.1, 0.2], segments=["de", "us"])


def test_whole_numbers_are_the_same_segments_as_floats() -> None:
    y_true, y_prob, segments = _generated(6, 400)
    fitted = SegmentedCalibrator().fit(y_true, y_prob, segments=segments)

    as_floats = fitted.predict(y_prob, segments=segments.astype(float))

    assert np.array_equal(as_floats, fitted.predict(y_prob, segments=segments))


def test_a_class_is_no_base() -> None:
    with pytest.raises(CalibrationError, match="BetaCalibrator is a class: give a calibrator"):
        SegmentedCalibrator(base=BetaCalibrator)  # type: ignore[arg-type]
