"""Which calibrator to use when nothing is known but how much there is to learn from."""

from math import inf
from typing import Final

import numpy as np

from calibration.calibrators import Calibrator
from calibration.errors import InsufficientDataError, InvalidSampleError
from calibration.parametric import BetaCalibrator, SigmoidCalibrator
from calibration.venn_abers import VennAbersCalibrator

# below how many events of the rarer outcome, as docs/choosing_a_calibrator.md measures it
DEFAULT: Final[tuple[tuple[float, type[Calibrator]], ...]] = (
    (30, SigmoidCalibrator),
    (300, BetaCalibrator),
    (inf, VennAbersCalibrator),
)


def choose_calibrator(n_rows: float, events: float) -> Calibrator:
    """Return a calibrator, yet to be fitted, of the kind that did best on samples like this one.

    What counts is how often the rarer outcome occurred: a million rows with 20 events teach as
    little as 40 rows do.

    Parameters
    ----------
    n_rows : float
        Number of rows, or the sum of their weights.
    events : float
        How many of them are events, or the sum of their weights.

    Raises
    ------
    InsufficientDataError
        If one outcome never occurred: then no calibrator can be fitted.
    InvalidSampleError
        If there are fewer rows than events, or either is negative, infinite or NaN.
    """
    if np.ndim(n_rows) or np.ndim(events):
        raise InvalidSampleError("n_rows and events are numbers: give len(y_true) and sum(y_true)")
    if not 0 <= events <= n_rows < inf:
        raise InvalidSampleError(f"{events} events of {n_rows} rows: give events among the rows")
    rarer = min(events, n_rows - events)
    if rarer == 0:
        raise InsufficientDataError(f"{events} events of {n_rows} rows: give rows of both outcomes")
    return next(calibrator() for below, calibrator in DEFAULT if rarer < below)
