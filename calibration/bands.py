"""How far chance moves the isotonic curve: where the true one lies, what a calibrated one shows.

The *confidence band* lies around the isotonic curve: at each probability, the rates that the data
do not refute. The isotonic curve is no average of rows: its error shrinks with the cube root of
their number, and a bootstrap of it is not consistent. Therefore the band inverts the
likelihood-ratio test, whose distribution depends on no unknown slope: a rate is within the band if
the best rising curve through it is not much less likely than the best rising curve.

The *consistency band* lies around the diagonal: where the isotonic curve of a forecast that means
what it says would lie, by simulation. It answers another question, and is the one to test with.

Both hold at each point by itself, and both suppose that rows are independent. Of more than 4,096
rows, both are of cells of neighbouring rows: each holds at most a 4,096th of all and a 512th of
those beyond it, and spans at most a 64th in log-odds. So the few high scores of rare events have
cells of their own, down to single rows.

References
----------
Banerjee and Wellner, "Likelihood ratio tests for monotone functions", Annals of Statistics 2001,
and Banerjee, "Likelihood based inference for monotone response models", Annals of Statistics 2007.
Dimitriadis, Gneiting and Jordan, "Stable reliability diagrams for probabilistic classifiers",
PNAS 2021, for the two kinds of bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import brentq, isotonic_regression
from scipy.special import expit, logit, xlog1py, xlogy
from scipy.stats import chi2

from calibration.cells import Cells
from calibration.curves import LEVEL, points_within
from calibration.options import require_level, require_whole
from calibration.ranks import gather_finely
from calibration.samples import Floats, Sample

RESAMPLES: Final = 999
SEED: Final = 1
_NEIGHBOURS: Final = 2
_FARTHEST: Final = 30.0  # in log odds
_SAME: Final = 1e-12
# The quantiles of the likelihood ratio as shares of those of chi squared with one degree: by how
# many distinct probabilities the blocks nearby have on average. It is 1 where each is a block, and
# falls to that of Banerjee and Wellner's limit. Simulated: 20,000 draws of a rising line and noise.
_VALUES_A_BLOCK: Final = (1.0, 1.04, 1.13, 1.30, 1.54, 1.93, 2.5, 3.2, 4.7, 6.5, 9.8, 20.0)
_SHARES: Final = (1.0, 0.97, 0.94, 0.87, 0.81, 0.745, 0.71, 0.675, 0.645, 0.625, 0.61, 0.595)


def confidence_band(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    points: int | npt.ArrayLike = 100,
    level: float = LEVEL,
) -> pl.DataFrame:
    """Return the isotonic curve at points, and between which rates the true curve lies there.

    It supposes that the true rate never falls with the probability. The band never leaves [0, 1]
    and is not empty: of one row, or outcomes of one class, it is wide. Weights count as importance:
    scaling them changes nothing, and uneven ones widen the band (Kish's effective sample size of
    the blocks nearby).

    Parameters
    ----------
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1].
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.
    points : int or array_like
        Where the band is wanted, or at how many points, evenly from the lowest to the highest
        score.
    level : float
        The share of samples whose band covers the true rate at a point.

    Returns
    -------
    DataFrame
        A row for each point: probability; rate, the isotonic curve, straight between its blocks;
        low and high.

    Raises
    ------
    CalibrationError
        If a point is outside [0, 1], or the level not between 0 and 1.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    require_level(level)
    sample = Sample.of(y_true, y_prob, weight)
    places = points_within(sample, points)
    cells = gather_finely(sample)
    blocks = cells.pool()
    best = float(_log_likelihood(blocks.rate, blocks.weight, blocks.events).sum())
    rate = blocks.interpolate(blocks.rate, places)
    allowed = _allowed(blocks, places, level)
    ends = np.empty((2, len(places)))
    for number, place in enumerate(places):
        test = _Test.at(cells, float(place), best)
        for side in (0, 1):
            most = float(allowed[side, number])
            ends[side, number] = test.end(float(rate[number]), most, side)
    return pl.DataFrame({"probability": places, "rate": rate, "low": ends[0], "high": ends[1]})


def consistency_band(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    points: int | npt.ArrayLike = 100,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> pl.DataFrame:
    """Return between which rates the isotonic curve lies at points, if the forecast is calibrated.

    Outcomes are drawn anew from the probabilities. Where events are few, they allow few curves, and
    the band covers more than it says. Weights count as in :func:`confidence_band`.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        1 where the event happened, else 0; for the curve, the band does not depend on it.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1].
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.
    points : int or array_like
        Where the band is wanted, or at how many points, evenly from the lowest to the highest
        score.
    level : float
        The share of calibrated samples whose curve lies within the band at a point.
    resamples : int
        How many curves are drawn.
    seed : int
        Of the draws.

    Returns
    -------
    DataFrame
        A row for each point: probability; rate, the isotonic curve; low and high.

    Raises
    ------
    CalibrationError
        If there are no resamples, a point is outside [0, 1], or the level not between 0 and 1.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    require_level(level)
    resamples = require_whole(resamples, "resamples")
    generator = np.random.default_rng(require_whole(seed, "seed", least=0))
    sample = Sample.of(y_true, y_prob, weight)
    places = points_within(sample, points)
    cells = gather_finely(sample)
    chance = np.clip(cells.expected / cells.weight, 0, 1)
    rows = np.maximum(1, np.rint(cells.weight**2 / cells.square)).astype(np.int64)
    shown = np.empty((resamples, len(places)))
    for curve in shown:
        drawn = generator.binomial(rows, chance) / rows
        curve[:] = cells.interpolate(isotonic_regression(drawn, weights=cells.weight).x, places)
    tail = (1 - level) / 2
    low, high = np.quantile(shown, (tail, 1 - tail), axis=0, method="weibull")
    blocks = cells.pool()
    rate = blocks.interpolate(blocks.rate, places)
    return pl.DataFrame({"probability": places, "rate": rate, "low": low, "high": high})


@dataclass(frozen=True)
class _Side:
    """The blocks on one side of a point, from the far end; those beyond a rate there must take it.

    Attributes
    ----------
    sign : float
        1 on the left, where the rates rise towards the point; -1 on the right, where they fall.
    rate : ndarray of float, shape (n,)
        The rates times the sign, ascending.
    kept : ndarray of float, shape (n + 1,)
        The log likelihood of the first m blocks, at their own rates.
    weight, events : ndarray of float, shape (n + 1,)
        Sums over the others.
    """

    sign: float
    rate: Floats
    kept: Floats
    weight: Floats
    events: Floats

    @classmethod
    def of(cls, cells: Cells, sign: float) -> Self:
        if not len(cells):
            return cls(sign, np.empty(0), *np.zeros((3, 1)))
        blocks = cells.pool()
        order = slice(None, None, int(sign))
        rate, weight, events = blocks.rate[order], blocks.weight[order], blocks.events[order]
        kept = np.append(0.0, np.cumsum(_log_likelihood(rate, weight, events)))
        left, happened = (np.append(np.cumsum(sums[::-1])[::-1], 0) for sums in (weight, events))
        return cls(sign, sign * rate, kept, left, happened)

    def log_likelihood(self, rate: float) -> float:
        """Return the highest log likelihood of rates that do not pass the one at the point."""
        kept = int(np.searchsorted(self.rate, self.sign * rate))
        bound = _log_likelihood(rate, self.weight[kept], self.events[kept])
        return float(self.kept[kept] + bound)


@dataclass(frozen=True)
class _Test:
    """The likelihood-ratio test of rates at a point.

    Attributes
    ----------
    left, right : _Side
        The cells below and above the point.
    weight, events : float
        Of the cell that it lies in, which must have the rate; 0 where it lies between two.
    best : float
        The log likelihood of the isotonic curve.
    """

    left: _Side
    right: _Side
    weight: float
    events: float
    best: float

    @classmethod
    def at(cls, cells: Cells, place: float, best: float) -> Self:
        before = int(np.searchsorted(cells.highest, place, side="left"))
        after = int(np.searchsorted(cells.lowest, place, side="right"))
        within = slice(before, after)
        return cls(
            left=_Side.of(cells.part(slice(before)), 1.0),
            right=_Side.of(cells.part(slice(after, None)), -1.0),
            weight=float(cells.weight[within].sum()),
            events=float(cells.events[within].sum()),
            best=best,
        )

    def ratio(self, rate: float) -> float:
        """Return twice the log likelihood that it costs if the curve must take the rate."""
        likelihood = self.left.log_likelihood(rate) + self.right.log_likelihood(rate)
        return 2 * (self.best - likelihood - float(_log_likelihood(rate, self.weight, self.events)))

    def end(self, rate: float, allowed: float, side: int) -> float:
        """Return the farthest rate towards 0 or 1 whose ratio is allowed; the given one's is 0."""
        start = float(np.clip(logit(rate), -_FARTHEST, _FARTHEST))
        stop = _FARTHEST * (2 * side - 1)

        def excess(log_odds: float) -> float:
            return self.ratio(float(expit(log_odds))) - allowed

        if start == stop or excess(stop) <= 0:
            return float(side)
        # where rounding already takes the start beyond, as of huge weights, the rate is the end
        return float(expit(brentq(excess, start, stop))) if excess(start) < 0 else rate


def _allowed(blocks: Cells, places: Floats, level: float) -> Floats:
    """Return how much a rate below and above the curve may cost at each place, shape (2, n).

    Where no event happened up to the block, the ratio is far from its limit: the block ends with
    the first event, and so is long by chance. There the whole quantile of chi squared keeps the
    bound from above. That fades as events come. So do misses, from the block on, for the bound from
    below.
    """
    nearest = np.minimum(np.searchsorted(blocks.highest, places), len(blocks) - 1)
    first = np.maximum(nearest - _NEIGHBOURS, 0)
    last = np.minimum(nearest + _NEIGHBOURS + 1, len(blocks))
    values, square, weight = (
        (sums[last] - sums[first])
        for sums in (
            np.append(0.0, np.cumsum(of)) for of in (blocks.values, blocks.square, blocks.weight)
        )
    )
    share = np.interp(values / (last - first), _VALUES_A_BLOCK, _SHARES)
    misses = np.cumsum((blocks.weight - blocks.events)[::-1])[::-1]
    few = np.stack([misses[nearest], np.cumsum(blocks.events)[nearest]]) * (weight / square)
    # a likelihood counts a row as its weight; only of rows that weigh 1 that is right
    return np.asarray(chi2.ppf(level, 1) * (share + (1 - share) * np.exp(-few)) * (square / weight))


def _log_likelihood(
    rate: npt.ArrayLike, weight: npt.ArrayLike, events: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return the log likelihood of so many events, of so much weight, at the rate."""
    misses = np.subtract(weight, events)
    misses = np.where(misses > _SAME * np.asarray(weight), misses, 0.0)  # else rounding only
    return np.asarray(xlogy(events, rate) + xlog1py(misses, np.negative(rate)))
