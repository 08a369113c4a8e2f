"""Any model's credit brought to agree with the lifts that exist, and carried on by likeness.

A campaign's incremental conversions are its credit times a factor, and factors are alike where
campaigns are::

    true_c = credit_c * (level + surface + advertiser + e_c),  lift_c ~ N(true_c, error_c squared)

The spread of the effects and of e_c is learned from the lifts (``shrinkage``), so that a precise
lift is followed, a noisy one is drawn towards what the model says of its likes, and a campaign
without a holdout has the factor of its likes. The model is linear in the factor: a lift may lie
below 0 by chance, which a logarithm would not allow.

Two things are not seen from here. If the credit was itself estimated from the same held-out users,
its error and the lift's go together, and the two agree more than they should: prefer
``incremental`` then. And the lift of a campaign holds what it caused after the window of the
credit, too.
"""

from enum import StrEnum
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from attribution.holdouts.shrinkage import shrink
from attribution.paths import Floats, Integers
from warehouse.errors import ConfigError

_TYPICAL: Final = 0.25  # of the overall factor: half of the prior of the spread lies below
_KEY: Final = "campaign_id"


class FactorBasis(StrEnum):
    """What a campaign's factor comes from."""

    HOLDOUT = "holdout"  # its own lift, and those of its likes
    LIKENESS = "likeness"  # lifts of other campaigns only
    NONE = "none"  # there are no lifts: the credit is as it was


def calibrate(
    credit: pl.DataFrame,
    lifts: pl.DataFrame,
    likeness: pl.DataFrame | None = None,
    *,
    level: float = 0.9,
) -> pl.DataFrame:
    """Return credit by campaign scaled to agree with lifts.

    Parameters
    ----------
    credit : DataFrame
        campaign_id (once each), credit (conversions, at least 0) and, if known, variance (of the
        credit's noise).
    lifts : DataFrame
        campaign_id or name, incremental, and pooled_error or else standard_error, as of
        :func:`attribution.holdouts.lift.lifts`. Rows of campaigns without credit, or without an
        error above 0, are passed over. With pooled errors a row is not believed more for having
        few control conversions by chance.
    likeness : DataFrame, optional
        campaign_id and a column for each trait, such as the surface and the advertiser. Where a
        campaign is missing its traits are unknown, which is a value of its own.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        campaign_id, credit, factor, calibrated (at least 0), standard_error, low, high, basis.
        A campaign without credit stays at 0: there is nothing to scale.

    Raises
    ------
    ConfigError
        If credit is negative or not finite, a campaign appears twice, or the level is not between
        0 and 1.
    """
    if not 0 < level < 1:
        raise ConfigError(f"level = {level}: not between 0 and 1. Use 0.9 for 90% intervals.")
    rows = _joined(credit, lifts)
    given, own = rows["credit"].to_numpy(), rows["variance"].to_numpy()
    lift, noise = rows["incremental"].to_numpy(), rows["noise"].to_numpy()
    positive = given > 0
    held = positive & np.isfinite(noise)
    if held.any():
        earned = positive.nonzero()[0]
        factor, doubt = np.zeros(len(rows)), np.zeros(len(rows))
        factor[earned], doubt[earned] = _factors(
            given[earned], own[earned], lift[earned], noise[earned],
            [trait[earned] for trait in _traits(rows[_KEY], likeness)],
        )  # fmt: skip
        error = given * doubt
    else:
        factor, error = np.ones(len(rows)), np.sqrt(own)
    reach = float(ndtri(0.5 + level / 2)) * error
    calibrated = given * factor
    basis = [
        _basis(one, bool(held.any() and some)) for one, some in zip(held, positive, strict=True)
    ]
    return rows.select(
        _KEY,
        "credit",
        factor=pl.Series(factor),
        calibrated=pl.Series(np.maximum(calibrated, 0.0)),
        standard_error=pl.Series(error),
        low=pl.Series(np.maximum(calibrated - reach, 0.0)),
        high=pl.Series(np.maximum(calibrated + reach, 0.0)),
        basis=pl.Series([str(one) for one in basis], dtype=pl.String),
    )


def _factors(
    credit: Floats, own: Floats, lift: Floats, noise: Floats, traits: list[Integers]
) -> tuple[Floats, Floats]:
    """Return the factor of each campaign and its standard error."""
    held = np.isfinite(noise)
    overall = _overall(credit[held], lift[held], noise[held])
    # the overall factor is the unit, so that a spread means the same for every model's credit
    unit = abs(overall) if overall else 1.0
    size = credit * unit
    with np.errstate(invalid="ignore"):
        relative = np.where(held, lift / size, 0.0)
    shrunk = shrink(
        relative,
        np.where(held, noise / size**2, np.inf),
        traits=traits,
        scatter=own / credit**2,
        typical=_TYPICAL,
    )
    return shrunk.mean * unit, shrunk.error * unit


def _overall(credit: Floats, lift: Floats, noise: Floats) -> float:
    """Return the one factor that fits lifts best."""
    weight = 1 / np.maximum(noise, noise.max() * 1e-12 + 1e-300)
    return float((weight * lift * credit).sum() / (weight * credit**2).sum())


def _joined(credit: pl.DataFrame, lifts: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each campaign with credit, and its lift and variance, infinite without."""
    if credit[_KEY].is_duplicated().any():
        name = credit[_KEY].filter(credit[_KEY].is_duplicated()).sort().item(0)
        raise ConfigError(f"credit: {name} appears more than once. Give one row a campaign.")
    given = credit["credit"].cast(pl.Float64)
    if not (given.is_finite() & (given >= 0)).all():
        raise ConfigError("credit: some is negative or not finite. Give conversions, at least 0.")
    key = _KEY if _KEY in lifts.columns else "name"
    error = "pooled_error" if "pooled_error" in lifts.columns else "standard_error"
    if lifts[key].is_duplicated().any():
        name = lifts[key].filter(lifts[key].is_duplicated()).sort().item(0)
        raise ConfigError(f"lifts: {name} appears more than once. Give lifts by campaign.")
    known = lifts.select(
        pl.col(key).alias(_KEY).cast(pl.String),
        pl.col("incremental").cast(pl.Float64),
        noise=pl.col(error).cast(pl.Float64) ** 2,
    ).filter(
        pl.col("incremental").is_finite() & pl.col("noise").is_finite() & (pl.col("noise") > 0)
    )
    variance = pl.col("variance").cast(pl.Float64) if "variance" in credit.columns else pl.lit(0.0)
    return (
        credit.select(_KEY, pl.col("credit").cast(pl.Float64), variance=variance)
        .join(known, on=_KEY, how="left")
        .with_columns(pl.col("incremental").fill_null(0.0), pl.col("noise").fill_null(float("inf")))
        .sort(_KEY)
    )


def _traits(campaigns: pl.Series, likeness: pl.DataFrame | None) -> list[Integers]:
    """Return the number of each campaign's value of each trait that is not the same for all."""
    if likeness is None:
        return []
    told = campaigns.to_frame().join(likeness, on=_KEY, how="left", maintain_order="left")
    columns = [
        told[name].cast(pl.String).fill_null("") for name in sorted(told.columns) if name != _KEY
    ]
    return [
        (column.rank("dense").cast(pl.Int64) - 1).to_numpy()
        for column in columns
        if column.n_unique() > 1
    ]


def _basis(held: bool, alike: bool) -> FactorBasis:
    if held:
        return FactorBasis.HOLDOUT
    return FactorBasis.LIKENESS if alike else FactorBasis.NONE
