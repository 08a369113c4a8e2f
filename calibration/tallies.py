"""What was predicted and what happened, added up by segment, with the tails of chance.

Events of a segment are compared with those that its probabilities expect, as a sum of independent
draws (Poisson binomial). Its tails are those of a translated binomial of the same mean, variance
and skewness (Rollin 2007), exact where all probabilities are equal, and mid-P (Lancaster 1961), so
that a test at .05 errs in about one of twenty cases also where events are few. For the interval all
probabilities of the segment move by one shift of their logits, until the tails leave half of what
the level leaves.

Weights are counts: a row of weight 2 is two rows, and scaling all weights makes a test sharper.
Weights that are no counts (such as those of a sample) need clusters: variance is then taken from
the sums of clusters, and scaling changes nothing but the weights and events themselves.

References
----------
Rollin, "Translated Poisson approximation using exchangeable pair couplings", Annals of Applied
Probability 2007, for the translation. Lancaster, "Significance tests in discrete distributions",
JASA 1961.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from calibration.frames import frame_sample, require_columns
from calibration.samples import Bools, Floats, Sample

POWER: Final = 0.8
_ROWS_AT_ONCE: Final = 1_000_000
_LOGIT_STEP: Final = 0.25  # within a bin so narrow, p (1 - p) is as good as constant
_MOST_LOGIT: Final = 30.0
_FURTHEST: Final = 70.0  # a shift that takes any probability to 0 or 1
_HALVINGS: Final = 36
_LEAST_VARIANCE: Final = 1e-9  # relative to the events: below it all rows are certain
_LEAST_CHANCE: Final = 1e-13
_FINEST: Final = "finest"
_MEASURES: Final = ("events", "expected", "weight")
_SUMS: Final = ("rows", *_MEASURES)
_ALIKE: Final = 1e-9  # a share of the most that clusters could vary, which is rounding
_FEWEST_CLUSTERS: Final = 5  # of fewer, the variance between them tells too little
Integers = npt.NDArray[np.int64]

# One after another: a plain sum is shared out among threads, and its last digits with it.
_ADDED: Final = pl.col(_SUMS).cum_sum().last()


@dataclass(frozen=True)
class Moments:
    """Of the events of each of m segments.

    Attributes
    ----------
    mean, variance : ndarray of float, shape (m,)
        Of independent draws.
    rate : ndarray of float, shape (m,)
        The probability of the binomial whose skewness is the same: (1 - third cumulant / variance)
        / 2, which is the mean of p under weights p (1 - p).
    """

    mean: Floats
    variance: Floats
    rate: Floats


@dataclass(frozen=True)
class Tally:
    """What the rows of each of m segments sum to.

    Attributes
    ----------
    frame : DataFrame, m rows
        The keys of the segments; rows, weight, events, expected.
    design : ndarray of float, shape (m,)
        By how much the variance is above that of independent rows of weight 1; 1 without clusters.
    place : ndarray of int, shape (b,)
        Rows of nearly equal probability are held as one bin: which segment each bin is of.
    odds, size : ndarray of float, shape (b,)
        The odds of the bin's probability, and its weight.
    """

    frame: pl.DataFrame
    design: Floats
    place: Integers
    odds: Floats
    size: Floats

    def moments(self, shift: Floats) -> Moments:
        """Return the moments of the events of each segment where its logits are shifted."""
        odds = np.exp(shift)[self.place] * self.odds
        probability, variance = odds / (1 + odds), self.size * odds / (1 + odds) ** 2
        count = len(self.frame)
        spread = np.bincount(self.place, variance, count)
        rate = np.bincount(self.place, variance * probability, count) / spread
        return Moments(
            mean=np.bincount(self.place, self.size * probability, count).astype(np.float64),
            variance=spread.astype(np.float64),
            rate=np.clip(rate, _LEAST_CHANCE, 1 - _LEAST_CHANCE),
        )

    def table(self, level: float) -> pl.DataFrame:
        """Return the frame with ratio, low and high."""
        events, expected = (self.frame[name].to_numpy() for name in ("events", "expected"))
        tail = (1 - level) / 2
        fewest, most = (
            self.moments(self._shift_where(holds)).mean
            for holds in (
                lambda moments: self._tails(moments)[1] >= tail,
                lambda moments: self._tails(moments)[0] <= tail,
            )
        )
        none = events == 0
        with np.errstate(divide="ignore", invalid="ignore"):
            columns = {
                "ratio": np.where(none, np.nan, expected / events),
                "low": np.where(none & (expected == 0), np.nan, expected / most),
                "high": np.where(none, np.nan, expected / fewest),
            }
        return self.frame.with_columns(
            pl.Series(name, values).fill_nan(None) for name, values in columns.items()
        )

    def p_values(self) -> Floats:
        """Return the two-sided mid-P values of "the events are drawn with these probabilities"."""
        lower, upper = self._tails(self.moments(np.zeros(len(self.frame))))
        return np.asarray(np.minimum(2 * np.minimum(lower, upper), 1.0))

    def smallest_detectable(self, significance: float, power: float = POWER) -> Floats:
        """Return the smallest relative error that a test finds so often; NaN where there is none.

        By the normal approximation, on the side where a smaller one is enough.
        """
        null = self.moments(np.zeros(len(self.frame)))
        needed = special.ndtri(1 - significance / 2) * np.sqrt(null.variance * self.design)
        size, seldom = np.bincount(self.place, self.size), special.ndtri(power)

        def beyond(moments: Moments, side: int) -> Bools:
            distance = needed + seldom * np.sqrt(moments.variance * self.design)
            return np.asarray(side * (moments.mean - null.mean) >= distance)

        more = self._shift_where(lambda moments: beyond(moments, 1))
        fewer = self._shift_where(lambda moments: ~beyond(moments, -1))
        above, below = (np.abs(self.moments(end).mean / null.mean - 1) for end in (more, fewer))
        above = np.where(size - null.mean >= needed, above, np.inf)
        below = np.where(null.mean >= needed, below, np.inf)
        smallest = np.minimum(above, below)
        return np.where(np.isfinite(smallest), smallest, np.nan)

    def design_of(self, sums: pl.DataFrame, place: Integers, least: float) -> Floats:
        """Return the design of each segment, given the sums of its clusters and their segments.

        Where the clusters do not tell (one alone, or no event), it is the least, and without one as
        if all rows of a cluster were the same. So it is at least of fewer than five clusters, and
        of clusters that do not differ at all, whose variance of 0 would make any ratio certain.
        """
        events, expected, weight = (sums[name].to_numpy() for name in _MEASURES)
        mine = self.frame["events"].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = mine / self.frame["expected"].to_numpy()
            residual = events - ratio[place] * expected
            count = np.bincount(place)
            variance = np.bincount(place, residual**2) * count / (count - 1)
            model = self.moments(self._shift_where(lambda moments: moments.mean >= mine)).variance
            design = variance / model
        alike = np.bincount(place, weight**2) / np.bincount(place, weight)
        told = np.isfinite(design) & (mine > 0) & (model > _LEAST_VARIANCE * mine)
        too_few = (count < _FEWEST_CLUSTERS) | ~(design > _ALIKE * alike)
        design = np.where(too_few, np.fmax(design, alike), design)
        return np.where(told, np.maximum(design, least), least or alike)

    def _tails(self, moments: Moments) -> tuple[Floats, Floats]:
        """Return the mid-P chances of no more, and of no fewer, events than there are."""
        rate, draws = moments.rate, moments.variance / (moments.rate * (1 - moments.rate))
        surely = moments.mean - draws * rate
        events = (self.frame["events"].to_numpy() - surely) / self.design
        draws /= self.design
        lower = (_at_most(events, draws, rate) + _at_most(events - 1, draws, rate)) / 2
        upper = (_at_least(events, draws, rate) + _at_least(events + 1, draws, rate)) / 2
        return lower, upper

    def _shift_where(self, holds: Callable[[Moments], Bools]) -> Floats:
        """Return the lowest shift where something holds of the moments, as it does above it."""
        low, high = (np.full(len(self.frame), end) for end in (-_FURTHEST, _FURTHEST))
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            beyond = holds(self.moments(middle))
            low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
        return high


def tally(
    frame: pl.DataFrame,
    keys: Sequence[str],
    *,
    y_true: str = "y_true",
    y_prob: str = "y_prob",
    weight: str | None = None,
    cluster: str | None = None,
    least_design: float = 0.0,
) -> Tally:
    """Return the sums of the rows of each combination of the keys' values, in their order.

    Raises
    ------
    InvalidSampleError
        If a column is missing, or the sample is no sample.
    """
    others = [*keys, cluster] if cluster else list(keys)
    require_columns(frame, others)
    sample = frame_sample(frame, y_true=y_true, y_prob=y_prob, weight=weight)
    held = key_columns(keys)
    keyed = frame.select(
        [pl.col(key).alias(to) for key, to in zip(keys, held, strict=False)]
        or pl.repeat(0, pl.len()).alias(held[0])
    )
    bins = _sums(keyed, sample, None).sort(*held, _FINEST, nulls_last=False)
    logit = special.logit((bins["expected"] / bins["weight"]).to_numpy())
    segments = bins.group_by(held, maintain_order=True).agg(_ADDED)
    result = Tally(
        frame=segments,
        design=np.ones(len(segments)),
        place=_places(bins, held),
        odds=np.exp(np.clip(logit, -_MOST_LOGIT, _MOST_LOGIT)),
        size=bins["weight"].to_numpy(),
    )
    if cluster is None:
        return result
    sums = _sums(keyed, sample, frame[cluster]).sort(*held, nulls_last=False)
    return replace(result, design=result.design_of(sums, _places(sums, held), least_design))


def key_columns(keys: Sequence[str]) -> list[str]:
    """Return the names under which keys are held, apart from those of the sums; at least one."""
    return [f"key_{place}" for place in range(max(len(keys), 1))]


def _places(table: pl.DataFrame, held: list[str]) -> Integers:
    """Return for each row, of a table sorted by the keys, which segment it is of."""
    return table.select(pl.struct(held).rle_id()).to_series().to_numpy().astype(np.int64)


def _sums(keyed: pl.DataFrame, sample: Sample, cluster: pl.Series | None) -> pl.DataFrame:
    """Return the sums by key and cluster, or else by key and bin of the logit; parts at a time."""
    parts = []
    for start in range(0, len(sample), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        probability, happened = sample.probability[part], sample.happened[part]
        weight = np.ones(len(happened)) if sample.weight is None else sample.weight[part]
        if cluster is None:
            logit = np.clip(special.logit(probability), -_MOST_LOGIT, _MOST_LOGIT)
            finest = pl.Series(np.floor(logit / _LOGIT_STEP).astype(np.int16))
        else:
            finest = cluster[part]
        rows = keyed[part].with_columns(
            finest.alias(_FINEST),
            rows=pl.lit(1, dtype=pl.Int64),
            weight=weight,
            events=weight * happened,
            expected=weight * probability,
        )
        by = [*keyed.columns, _FINEST]
        parts.append(
            rows.filter(pl.col("weight") > 0).group_by(by, maintain_order=True).agg(_ADDED)
        )
    return pl.concat(parts).group_by(by, maintain_order=True).agg(_ADDED)


def _at_most(events: Floats, draws: Floats, rate: Floats) -> Floats:
    """Return the binomial's chance of no more events; draws and events need not be whole."""
    inside = (events > -1) & (events < draws)
    chance = special.betainc(  # several times faster than its complement with the shapes swapped
        np.where(inside, draws - events, 1), np.where(inside, events + 1, 1), 1 - rate
    )
    return np.where(inside, chance, np.where(events <= -1, 0.0, 1.0))


def _at_least(events: Floats, draws: Floats, rate: Floats) -> Floats:
    """Return the binomial's chance of no fewer events."""
    inside = (events > 0) & (events < draws + 1)
    chance = special.betainc(
        np.where(inside, events, 1), np.where(inside, draws - events + 1, 1), rate
    )
    return np.where(inside, chance, np.where(events <= 0, 1.0, 0.0))
