"""Calibration of the rows that a calibrator learns from."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import polars as pl
import pytest

from calibration.calibrators import Calibrator, IsotonicCalibrator
from calibration.cross_fitting import cross_fit
from calibration.errors import CalibrationError, InsufficientDataError, InvalidSampleError
from calibration.parametric import BetaCalibrator, SigmoidCalibrator
from calibration.samples import Floats, Sample
from calibration.segmented import SegmentedCalibrator


@dataclass(frozen=True)
class _Witness(Calibrator):
    """Predicts .9 of scores that it has seen, .1 of others."""

    kind: ClassVar[str] = "witness"
    seen: tuple[float, ...] = ()

    def learned(self, sample: Sample) -> Self:
        return replace(self, limits=(0.01, 0.99), seen=tuple(sample.probability.tolist()))

    def _map(self, scores: Floats) -> Floats:
        return np.where(np.isin(scores, self.seen), 0.9, 0.1)


def _generated(seed: int, rows: int = 500) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y_prob = generator.random(rows)
    return generator.random(rows) < y_prob, y_prob


def test_no_row_is_calibrated_by_a_fit_that_saw_it() -> None:
    y_true, y_prob = _generated(1)

    assert (cross_fit(_Witness(), y_true, y_prob, seed=3) == 0.1).all()
    assert (_Witness().fit(y_true, y_prob).predict(y_prob) == 0.9).all()


def test_no_row_is_calibrated_by_a_fit_that_saw_its_group() -> None:
    y_true, _ = _generated(2)
    groups = np.random.default_rng(2).integers(0, 60, 500)
    of_group = (groups + 1) / 100  # all rows of a group have one score, that no other group has

    together = cross_fit(_Witness(), y_true, of_group, groups=groups, seed=3)
    apart = cross_fit(_Witness(), y_true, of_group, seed=3)

    assert (together == 0.1).all()
    assert (apart == 0.9).any()


def test_the_same_seed_gives_the_same_and_another_does_not() -> None:
    y_true, y_prob = _generated(3)

    first, again, other = (
        cross_fit(IsotonicCalibrator(), y_true, y_prob, seed=seed) for seed in (5, 5, 6)
    )

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_types_of_groups_do_not_matter() -> None:
    y_true, y_prob = _generated(4)
    groups = np.random.default_rng(4).integers(0, 80, 500)

    of_numbers = cross_fit(SigmoidCalibrator(), y_true, y_prob, groups=groups, seed=1)
    of_texts = cross_fit(
        SigmoidCalibrator(), y_true, y_prob, groups=[f"user {group}" for group in groups], seed=1
    )

    assert np.array_equal(of_numbers, of_texts)


def test_a_row_without_weight_changes_no_other() -> None:
    y_true, y_prob = _generated(5)
    weight = np.random.default_rng(5).integers(0, 2, 500)
    counted = weight > 0

    with_them = cross_fit(BetaCalibrator(), y_true, y_prob, weight=weight, seed=1)
    without = cross_fit(BetaCalibrator(), y_true[counted], y_prob[counted], seed=1)

    assert np.abs(with_them[counted] - without).max() < 1e-9
    assert with_them.min() > 0


def test_a_row_of_weight_two_is_two_rows_of_one_group() -> None:
    y_true, y_prob = _generated(6)
    weight = np.random.default_rng(6).integers(1, 4, 500)

    weighted = cross_fit(BetaCalibrator(), y_true, y_prob, weight=weight, seed=1)
    repeated = cross_fit(
        BetaCalibrator(),
        np.repeat(y_true, weight),
        np.repeat(y_prob, weight),
        groups=np.repeat(np.arange(500), weight),
        seed=1,
    )

    assert np.abs(np.repeat(weighted, weight) - repeated).max() < 1e-9


def test_rare_events_are_dealt_to_all_folds() -> None:
    y_true = np.zeros(1_000)
    y_true[[3, 500]] = 1

    predicted = cross_fit(SigmoidCalibrator(), y_true, np.linspace(0.1, 0.9, 1_000), seed=1)

    assert predicted.max() < 0.1


def test_segments_are_handed_on() -> None:
    y_true, y_prob = _generated(7, 4_000)
    segments = pl.Series(np.arange(4_000) % 2).replace_strict([0, 1], ["a", "b"])
    odd = (segments == "b").to_numpy()
    y_true = y_true & ~odd

    predicted = cross_fit(SegmentedCalibrator(), y_true, y_prob, segments=segments, seed=1)

    assert predicted[odd].mean() < 0.2 * predicted[~odd].mean()


def test_honest_probabilities_are_worse_than_those_of_the_rows_themselves() -> None:
    y_true, y_prob = _generated(8, 300)

    honest = cross_fit(IsotonicCalibrator(), y_true, y_prob, seed=1)
    fitted = IsotonicCalibrator().fit(y_true, y_prob).predict(y_prob)

    assert ((honest - y_true) ** 2).mean() > ((fitted - y_true) ** 2).mean()


def test_what_cannot_be_crossed_is_refused() -> None:
    y_true, y_prob = _generated(9, 20)
    calibrator = SigmoidCalibrator()

    with pytest.raises(CalibrationError, match="folds = 1"):
        cross_fit(calibrator, y_true, y_prob, folds=1, seed=1)
    with pytest.raises(InsufficientDataError, match="2 groups of weight above 0 for 5 folds"):
        cross_fit(calibrator, y_true, y_prob, groups=np.arange(20) % 2, seed=1)
    with pytest.raises(InsufficientDataError, match="20 rows of weight above 0 for 21 folds"):
        cross_fit(calibrator, y_true, y_prob, folds=21, seed=1)
    with pytest.raises(InsufficientDataError, match=r"without fold 1/5, y_true: 0 of"):
        cross_fit(calibrator, np.arange(20) == 3, y_prob, seed=1)
    with pytest.raises(InvalidSampleError, match="groups: 1 of 20 are null"):
        cross_fit(calibrator, y_true, y_prob, groups=[None, *range(19)], seed=1)
    with pytest.raises(InvalidSampleError, match="groups: 3 values for 20 rows"):
        cross_fit(calibrator, y_true, y_prob, groups=[1, 2, 3], seed=1)
    with pytest.raises(InvalidSampleError, match="the sigmoid calibrator takes none"):
        cross_fit(calibrator, y_true, y_prob, segments=["a"] * 20, seed=1)
