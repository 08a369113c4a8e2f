"""The product-limit estimate of delays that are right truncated, for any number of events.

F(x) is the product of 1 - d/n over all delays longer than x, where d is the weight of the events of
a delay, n of those that took no longer and have been watched for at least as long.

References
----------
Lagakos, Barraj and De Gruttola, "Nonparametric analysis of truncated survival data, with
application to AIDS", Biometrika 1988.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from calibration.late_events import Events, filled
from calibration.samples import Floats

MOST_DELAYS: Final = 200_000
_ROWS_AT_ONCE: Final = 500_000
_STEPS: Final = 100_000  # of a long curve, evenly over the share
_ODDS_STEPS: Final = 1_000  # and as many more each time that the odds of the share rise by e


def product_limit(events: Callable[[], Iterator[Events]], count: int, level: float) -> pl.DataFrame:
    """Return the curve: delay, arrived, low, high and at_risk; Greenwood's interval on log(-log).

    Of more than ``MOST_DELAYS`` different delays, those are left out at which the share has risen
    by less than 0.00001, and also by less than a thousandth of itself and of what is left of 1.

    Parameters
    ----------
    events : callable
        Gives the events, some at a time, as often as it is asked.
    count : int
        At least as many as there are.
    level : float
        Of the interval.
    """
    pairs = filled(count, ((part.delay, part.weight) for part in events()))
    pairs.sort()
    pairs = pairs[: _add_up(pairs)]
    at_risk = _at_risk(pairs, events())
    places, weights = pairs.real, pairs.imag
    parts, later = [], (0.0, 0.0)
    for start in reversed(range(0, len(pairs), _ROWS_AT_ONCE)):
        some = slice(start, start + _ROWS_AT_ONCE)
        share = np.minimum(weights[some] / at_risk[some], 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs, log_here = _sums_behind(np.log1p(-share), later[0])
            spread, spread_here = _sums_behind(share / (at_risk[some] * (1 - share)), later[1])
        later = log_here, spread_here
        kept = np.ones(len(share), np.bool_) if len(pairs) <= MOST_DELAYS else _telling(logs)
        kept[-1] |= start + len(kept) == len(pairs)  # the share of the last one is 1
        columns = places[some], at_risk[some], logs, spread
        parts.append([column[kept] for column in columns])
    delay, risk, logs, spread = (np.concatenate(c) for c in zip(*parts[::-1], strict=True))
    return _table(delay, risk, logs, spread, level)


def _add_up(pairs: npt.NDArray[np.complex128]) -> int:
    """Put one pair for each place to the front, with its whole weight; return how many there are.

    In place, so that no second copy is needed.
    """
    end = 0
    for start in range(0, len(pairs), _ROWS_AT_ONCE):
        some = pairs[start : start + _ROWS_AT_ONCE]
        starts = np.flatnonzero(np.diff(some.real, prepend=np.nan))
        places, sums = some.real[starts], np.add.reduceat(some.imag, starts)
        same = int(end > 0 and pairs.real[end - 1] == places[0])
        if same:
            pairs.imag[end - 1] += sums[0]
        added = slice(end, end + len(places) - same)
        pairs.real[added], pairs.imag[added] = places[same:], sums[same:]
        end = added.stop
    return end


def _at_risk(pairs: npt.NDArray[np.complex128], parts: Iterator[Events]) -> Floats:
    """Return the weight of what took no longer than each place and was watched that long."""
    at_risk = np.zeros(len(pairs) + 1)
    for part in parts:  # each look-up copies the places, but holds no copy while rows are read
        order = np.argsort(part.window)  # in order they are looked up many times faster
        before = np.searchsorted(pairs.real, part.window[order], side="right")
        np.add.at(at_risk, before, part.weight[order])
    quick = gone = 0.0
    for start in range(0, len(pairs), _ROWS_AT_ONCE):
        some = slice(start, min(start + _ROWS_AT_ONCE, len(pairs)))
        arrived = np.cumsum(np.concatenate(([quick], pairs.imag[some])))
        left = np.cumsum(np.concatenate(([gone], at_risk[some])))
        at_risk[some] = (arrived - left)[1:]
        quick, gone = float(arrived[-1]), float(left[-1])
    return at_risk[:-1]


def _sums_behind(values: Floats, later: float) -> tuple[Floats, float]:
    """Return for each place the sum of the values behind it, and that of all with those later."""
    sums = np.cumsum(np.concatenate(([later], values[::-1])))[::-1]
    return sums[1:], float(sums[0])


def _telling(logs: Floats) -> npt.NDArray[np.bool_]:
    """Return where the share has risen enough to be told; always at the first."""
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = logs - np.log(-np.expm1(logs))
        number = np.floor(_STEPS * np.exp(logs) + _ODDS_STEPS * odds)
        return np.asarray(np.diff(number, prepend=-np.inf) != 0)


def _table(
    delay: Floats, at_risk: Floats, logs: Floats, variance: Floats, level: float
) -> pl.DataFrame:
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = special.ndtri((1 + level) / 2) * np.sqrt(variance) / np.abs(logs)
        low, high = (np.exp(logs * np.exp(sign * spread)) for sign in (1, -1))
    table = pl.DataFrame(
        {
            "delay": delay,
            "arrived": np.exp(logs),
            "low": np.where(logs == 0, 1.0, low),
            "high": np.where(logs == 0, 1.0, high),
            "at_risk": at_risk,
        }
    )
    return table.filter(pl.col("arrived") > 0)  # a delay that all at risk have hides those before
