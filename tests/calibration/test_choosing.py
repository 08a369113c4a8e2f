"""The choice of a calibrator."""

import pytest

from calibration.choosing import DEFAULT, choose_calibrator
from calibration.errors import InsufficientDataError, InvalidSampleError
from calibration.parametric import BetaCalibrator, SigmoidCalibrator
from calibration.venn_abers import VennAbersCalibrator


@pytest.mark.parametrize(
    ("n_rows", "events", "expected"),
    [
        (1_000_000, 29, SigmoidCalibrator),
        (59, 29, SigmoidCalibrator),
        (60, 30, BetaCalibrator),
        (10_000, 299, BetaCalibrator),
        (600, 300, VennAbersCalibrator),
        (10_000_000, 10_000, VennAbersCalibrator),
        (0.5, 0.2, SigmoidCalibrator),
    ],
)
def test_the_rarer_outcome_chooses(n_rows: float, events: float, expected: type) -> None:
    assert choose_calibrator(n_rows, events) == expected()
    assert choose_calibrator(n_rows, n_rows - events) == expected()


def test_the_rule_ascends_and_ends_nowhere() -> None:
    limits = [below for below, _ in DEFAULT]

    assert limits == sorted(set(limits))
    assert limits[-1] == float("inf")


@pytest.mark.parametrize(("n_rows", "events"), [(5, 0), (5, 5), (0, 0)])
def test_one_outcome_chooses_nothing(n_rows: int, events: int) -> None:
    with pytest.raises(InsufficientDataError, match="give rows of both outcomes"):
        choose_calibrator(n_rows, events)


@pytest.mark.parametrize(
    ("n_rows", "events"), [(5, 6), (5, -1), (float("inf"), 3), (float("nan"), 3)]
)
def test_impossible_counts_are_refused(n_rows: float, events: float) -> None:
    with pytest.raises(InvalidSampleError, match="give events among the rows"):
        choose_calibrator(n_rows, events)
