"""How many more conversions come than touches foretell, for more touches come meanwhile."""

from typing import Final

import numpy as np

from attribution.histories import Histories
from attribution.learned.hazard_cells import add_up
from attribution.paths import Floats, Integers

_MOST_TOUCHES: Final = 5  # histories with so many or more are alike in what is still to come
_PRIOR: Final = 5.0  # that nothing is to come is believed like so many conversions


def unforeseen(histories: Histories, foretold: Floats, start_us: int, end_us: int) -> Floats:
    """Return what forecasts of a span after another are to be multiplied by.

    Parameters
    ----------
    histories : Histories
        What users saw and did.
    foretold : ndarray of shape (histories,)
        Conversions expected in the first span of the touches before it.
    start_us, end_us : int
        The first span; the other begins where it ends.

    Returns
    -------
    ndarray of float64, shape (histories,)
        Conversions that came in the first span over those foretold, by how many touches a history
        has before the other.
    """
    inside = (histories.conversion_us >= start_us) & (histories.conversion_us < end_us)
    came = add_up(
        histories.conversion_history[inside], histories.probability[inside], size=len(histories)
    )
    then, now = (_touches_before(histories, time_us) for time_us in (start_us, end_us))
    size = _MOST_TOUCHES + 1
    found = add_up(then, came * histories.weights, size=size) + _PRIOR
    ratio = found / (add_up(then, foretold * histories.weights, size=size) + _PRIOR)
    return np.asarray(ratio[now])


def _touches_before(histories: Histories, time_us: int) -> Integers:
    """Return how many touches each history had before a time, up to a most."""
    rows = histories.touches.time_us < time_us
    count = np.bincount(histories.touch_history[rows], minlength=len(histories))
    return np.asarray(np.minimum(count, _MOST_TOUCHES), dtype=np.int64)
