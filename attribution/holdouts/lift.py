"""Lift: how many more conversions treated users had than held-out users, and how sure that is.

Randomised are pairs of a user and a campaign. The logs tell a pair's arm only where the campaign
had an opportunity, an impression shown or withheld, so that pairs with an opportunity are the
population. Two comparisons are made of it:

- exposed counterparts: conversions within the lookback after an opportunity of the pair. Withheld
  ads stand where those shown do, so the arms differ by nothing but the ad: the ghost ads of
  Johnson, Lewis and Nubbemeyer (2017, Journal of Marketing Research).
- intention to treat: all conversions of the pair's user at the advertiser, those before the first
  opportunity too. It says the same with more noise, and shows when something else is wrong.

A conversion counts in the comparison of each campaign that had an opportunity before it. That is
right: a campaign's arm is drawn apart from the arms of others, so what the others caused is alike
in its two arms on average and takes part as noise. For the same reason estimates of campaigns are
uncorrelated, given conversions, and those of an advertiser, surface or segment are their sums, and
so are variances. Only impressions are opportunities: clicks alone, such as a flood of false ones,
come to treated users only.

"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from scipy.special import chdtrc, ndtr, ndtri

from attribution.histories import Histories
from attribution.holdouts.arms import COUNTS, Comparison, arm_counts
from attribution.holdouts.shrinkage import shrink
from attribution.paths import Floats
from warehouse.errors import ConfigError, InsufficientDataError

POWER: Final = 0.8
SIGNIFICANCE: Final = 0.05
UNBALANCED: Final = 0.001
"""Arms whose split is less likely than this by chance are called unbalanced."""
CONTAMINATED: Final = 0.01
"""Share of held-out pairs with ads shown, from which they are called contaminated."""
FEW_CONTROLS: Final = 10
LEAST_LIFT: Final = 1.0
"""Rows with fewer control conversions, or where a lift of this may go unseen, are called weak."""
_REASONS: Final = {"unbalanced": "unbalanced", "contaminated": "contaminated", "weak": "too_few"}
_LEVELS: Final = (("90", 0.90), ("95", 0.95))
_MOST_DEVIATIONS: Final = 40.0  # an interval so wide has a level of 1 less nothing
_HALVINGS: Final = 60  # of them until no digit of a p-value changes
_TYPICAL: Final = 0.25  # of the conversions after an opportunity: how much lifts may differ


def lifts(
    histories: Histories,
    *,
    by: str = "campaign",
    level: float = 0.9,
    comparison: Comparison = Comparison.EXPOSED,
    groups: Mapping[str, str] | None = None,
    held_out: float | None = None,
) -> pl.DataFrame:
    """Return the lift of each campaign, advertiser, surface or segment.

    Parameters are those of :func:`arm_counts` and :func:`estimate_lifts`, as is what is returned.
    """
    counts = arm_counts(histories, by=by, comparison=comparison, groups=groups)
    return estimate_lifts(counts, by=by, level=level, held_out=held_out)


def estimate_lifts(
    counts: pl.DataFrame, *, by: str = "campaign", level: float = 0.9, held_out: float | None = None
) -> pl.DataFrame:
    """Return lifts of counts.

    Intervals join one of the treated and one of the baseline conversions, each a score interval of
    a count with the observed overdispersion, by the method of variance estimates recovery (Zou and
    Donner 2008); they hold where a campaign has no control conversions too. A user may convert
    twice, and one match may be half a conversion: a binomial test would take them to be whole and
    independent.

    The p-value is of the same test: one less the level of the widest interval of `incremental` that
    leaves 0 out. It is below .10 just where low_90 to high_90 leaves 0 out.

    What is detectable follows from the variance that the draw of arms alone would give the
    difference, given every pair's conversions; it needs some ten control conversions, without which
    `weak` is set.

    Parameters
    ----------
    counts : DataFrame
        The columns of :func:`arm_counts`, a row for each campaign and name.
    by : str
        What the names are; written into `dimension`.
    level : float
        Of the intervals of the lift and of the shrunk figure.
    held_out : float, optional
        The share of pairs that should be held out; that of all campaigns together when omitted.

    Returns
    -------
    DataFrame
        dimension, name, treated_users, control_users, treated_conversions, control_conversions;
        incremental (conversions of treated pairs that the ads caused), standard_error, low_90,
        high_90, low_95, high_95; lift (incremental over baseline), lift_low, lift_high; p_value;
        pooled_error (the standard error if the row's baseline were the common share of its treated
        conversions: to weigh rows by, as one with few control conversions by chance has a high
        lift and seems precise); shrunk (incremental, drawn towards the other rows), shrunk_error,
        shrunk_low, shrunk_high; detectable_lift (the least that is seen with 80% power at 5%);
        contaminated_users (held-out pairs with a touch shown); unbalanced, contaminated, weak
        (flags) and reason (unbalanced, contaminated and too_few, joined by "; ", or empty).
        Rows without held-out users are left out.

    Raises
    ------
    InsufficientDataError
        If no campaign has both treated and held-out users.
    ConfigError
        If the level or the share held out is not between 0 and 1.
    """
    for name, share in (("level", level), ("held_out", 0.5 if held_out is None else held_out)):
        if not 0 < share < 1:
            raise ConfigError(f"{name} = {share}: not between 0 and 1. Give a share such as 0.1.")
    rows = _joined(counts)
    if rows.is_empty():
        raise InsufficientDataError(
            "lift: no campaign has both treated and held-out users. Withhold ads from some users."
        )
    treated, baseline = rows["treated_conversions"].to_numpy(), rows["baseline"].to_numpy()
    of_treated, of_baseline = rows["treated_variance"].to_numpy(), rows["base_variance"].to_numpy()
    incremental = treated - baseline
    error = np.sqrt(of_treated + of_baseline)
    null = np.sqrt(rows["null_variance"].to_numpy())
    columns: dict[str, Floats] = {"incremental": incremental, "standard_error": error}
    bounds = _Bounds(treated, of_treated, baseline, of_baseline, rows["odds"].to_numpy())
    for name, wanted in _LEVELS:
        columns[f"low_{name}"], columns[f"high_{name}"] = bounds.difference(wanted)
    columns["lift"] = _over(incremental, baseline)
    columns["lift_low"], columns["lift_high"] = bounds.lift(level)
    columns["p_value"] = bounds.p_value()
    columns["pooled_error"] = _pooled_error(rows)
    columns |= _shrunk(treated, incremental, columns["pooled_error"], level)
    reach = float(ndtri(1 - SIGNIFICANCE / 2) + ndtri(POWER))
    columns["detectable_lift"] = _over(reach * null, baseline)
    told = rows.select("name", *COUNTS[:4], "contaminated_users").with_columns(
        dimension=pl.lit(by), **{name: pl.Series(values) for name, values in columns.items()}
    )
    return _flagged(told, rows, held_out).select(
        "dimension", "name", *COUNTS[:4], *columns, "contaminated_users",
        "unbalanced", "contaminated", "weak", "reason",
    )  # fmt: skip


class _Bounds:
    """Intervals of treated and baseline conversions, joined."""

    def __init__(
        self,
        treated: Floats,
        of_treated: Floats,
        baseline: Floats,
        of_baseline: Floats,
        odds: Floats,
    ) -> None:
        self._treated, self._baseline = treated, baseline
        # variance a conversion; a count of none is taken to be as a plain one
        self._of_treated = np.where(treated > 0, _over(of_treated, treated), 1.0)
        self._of_baseline = np.where(baseline > 0, _over(of_baseline, baseline), odds)

    def difference(self, level: float) -> tuple[Floats, Floats]:
        """Return the least and greatest of treated less baseline."""
        middle = self._treated - self._baseline
        below, above = self._reaches(_deviations(level))
        return middle - below, middle + above

    def p_value(self) -> Floats:
        """Return one less the level of the widest interval of the difference that leaves 0 out."""
        middle = self._treated - self._baseline
        # an interval grows with its deviations: those at which it ends at 0 are closed in upon
        none, many = np.zeros(len(middle)), np.full(len(middle), _MOST_DEVIATIONS)
        for _ in range(_HALVINGS):
            between = (none + many) / 2
            below, above = self._reaches(between)
            holds_0 = np.where(middle > 0, below, above) >= np.abs(middle)
            none, many = np.where(holds_0, none, between), np.where(holds_0, between, many)
        return np.asarray(2 * ndtr(-many))

    def lift(self, level: float) -> tuple[Floats, Floats]:
        """Return the least and greatest of treated over baseline less 1; not a number without."""
        (low, high), (least, most) = self._both(_deviations(level))
        ratio = _over(self._treated, self._baseline)
        below = np.hypot(_log_over(self._treated, low), _log_over(most, self._baseline))
        above = np.hypot(_log_over(high, self._treated), _log_over(self._baseline, least))
        return ratio * np.exp(-below) - 1, ratio * np.exp(above) - 1

    def _reaches(self, deviations: Floats | float) -> tuple[Floats, Floats]:
        """Return how far the interval of the difference reaches below and above it."""
        (low, high), (least, most) = self._both(deviations)
        below = np.hypot(self._treated - low, most - self._baseline)
        return below, np.hypot(high - self._treated, self._baseline - least)

    def _both(
        self, deviations: Floats | float
    ) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
        treated = _score_limits(self._treated, self._of_treated, deviations)
        return treated, _score_limits(self._baseline, self._of_baseline, deviations)


def score_interval(counted: Floats, scale: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the interval of what is expected where a count was seen.

    The limits are the means under which the count lies just as many standard deviations off as the
    level asks for, its variance being `scale` times the mean (for a Poisson count 1).
    """
    return _score_limits(counted, scale, _deviations(level))


def _score_limits(
    counted: Floats, scale: Floats, deviations: Floats | float
) -> tuple[Floats, Floats]:
    reach = deviations**2 * scale
    half = np.sqrt(reach * counted + reach**2 / 4)
    return np.maximum(counted + reach / 2 - half, 0.0), counted + reach / 2 + half


def _deviations(level: float) -> float:
    """Return how many standard deviations an interval of a level reaches to either side."""
    return float(ndtri(0.5 + level / 2))


def _joined(counts: pl.DataFrame) -> pl.DataFrame:
    """Return sums by name over the campaigns that have both arms."""
    treated, control = pl.col("treated_users"), pl.col("control_users")
    both = (
        counts.with_columns(pl.col(COUNTS).cast(pl.Float64))
        .with_columns(odds=treated.sum().over("campaign_id") / control.sum().over("campaign_id"))
        .filter(pl.col("odds").is_finite() & (pl.col("odds") > 0))
        .sort("campaign_id", "name")
    )
    odds, squares = pl.col("odds"), pl.col("treated_squares") + pl.col("control_squares")
    return (
        both.group_by("name")
        .agg(
            *map(pl.sum, COUNTS),
            baseline=(odds * pl.col("control_conversions")).sum(),
            treated_variance=_variance("treated").sum(),
            base_variance=(odds**2 * _variance("control")).sum(),
            null_variance=(odds * squares).sum(),
            odds=(odds * control).sum() / control.sum(),
        )
        .filter(pl.col("control_users") > 0)
        .sort("name")
    )


def _variance(arm: str) -> pl.Expr:
    """Return the variance of an arm's conversions, from the squares of its pairs."""
    users, won = pl.col(f"{arm}_users"), pl.col(f"{arm}_conversions")
    mean_part = pl.when(users > 0).then(won**2 / users).otherwise(0.0)
    return (pl.col(f"{arm}_squares") - mean_part).clip(lower_bound=0.0)


def _pooled_error(rows: pl.DataFrame) -> Floats:
    """Return standard errors that a row's own control conversions have no part in."""
    treated, odds = rows["treated_conversions"].to_numpy(), rows["odds"].to_numpy()
    baseline, of_baseline = rows["baseline"].to_numpy(), rows["base_variance"].to_numpy()
    common = min(baseline.sum() / max(treated.sum(), 1.0), 1.0)
    scattered = of_baseline.sum() / max((odds * baseline).sum(), 1e-9)
    expected = scattered * odds * common * treated
    return np.asarray(np.sqrt(rows["treated_variance"].to_numpy() + expected))


def _shrunk(treated: Floats, incremental: Floats, error: Floats, level: float) -> dict[str, Floats]:
    """Return the caused conversions, their share of all drawn towards that of the other rows."""
    whole = np.maximum(treated, 1.0)
    # without any conversion the error is 0, which is no knowledge
    noise = np.where(error > 0, (error / whole) ** 2, np.inf)
    if not np.isfinite(noise).any():
        noise = np.ones(len(noise))
    share = shrink(incremental / whole, noise, typical=_TYPICAL)
    reach = _deviations(level) * share.error
    return {
        "shrunk": share.mean * treated,
        "shrunk_error": share.error * treated,
        "shrunk_low": (share.mean - reach) * treated,
        "shrunk_high": (share.mean + reach) * treated,
    }


def _flagged(told: pl.DataFrame, rows: pl.DataFrame, held_out: float | None) -> pl.DataFrame:
    """Return the rows with what speaks against believing them."""
    control, users = rows["control_users"], rows["treated_users"] + rows["control_users"]
    share = held_out or float(control.sum()) / float(users.sum())
    expected = users * share
    chi_square = (control - expected) ** 2 / (expected * (1 - share))
    chance = pl.Series(chdtrc(1, chi_square.to_numpy()))
    shown = rows["contaminated_users"] / control
    flags = told.with_columns(
        unbalanced=chance < UNBALANCED,
        contaminated=shown > CONTAMINATED,
        weak=(rows["control_conversions"] < FEW_CONTROLS)
        | (told["detectable_lift"].fill_nan(np.inf) > LEAST_LIFT),
    )
    parts = [pl.when(flag).then(pl.lit(reason)) for flag, reason in _REASONS.items()]
    reasoned = flags.with_columns(reason=pl.concat_str(parts, separator="; ", ignore_nulls=True))
    return reasoned.with_columns(pl.col(pl.Float64).fill_nan(None))


def _over(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, not a number where the whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))


def _log_over(part: Floats, whole: Floats) -> Floats:
    """Return the logarithm of part / whole, not a number where either is 0."""
    ratio = _over(part, whole)
    return np.asarray(np.log(ratio, out=np.full(len(whole), np.nan), where=ratio > 0))
