"""How far the credit of models agrees with the lifts of holdouts, and if that tells them apart."""

from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from attribution.credit_errors import Floats, rank_correlation, weighted_error

_KEY: Final = "campaign_id"
_CHANCE: Final = 0.05  # of telling models apart that agree alike, of all pairs of them together
_SCHEMA: Final = {
    "model": pl.String, "campaigns": pl.Int64, "scale": pl.Float64, "weighted_error": pl.Float64,
    "chi_square": pl.Float64, "behind": pl.Float64, "rank_correlation": pl.Float64,
    "within": pl.Int64,
}  # fmt: skip


def agreement(given: dict[str, pl.DataFrame], lifts: pl.DataFrame) -> pl.DataFrame:
    """Return by model how far credit lies from the plain lifts, brought to their size first.

    Lifts count other conversions than credit does, so that only proportions are compared.

    Parameters
    ----------
    given : dict of str to DataFrame
        campaign_id and credit by model.
    lifts : DataFrame
        campaign_id, incremental, error (above 0, else the campaign is left out), low_90, high_90.

    Returns
    -------
    DataFrame
        model; campaigns that have a lift; scale, the factor of credit; weighted_error; chi_square,
        the mean squared difference in standard errors; behind, how many standard errors its sum of
        squares lies behind the least of all models, null for that model; rank_correlation; within,
        campaigns whose scaled credit lies in their 90% interval. No rows without lifts.
    """
    known = lifts.filter(pl.col("error") > 0).sort(_KEY)
    if known.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    lift, error = known["incremental"].to_numpy(), known["error"].to_numpy()
    scaled: dict[str, Floats] = {}
    rows: dict[str, dict[str, object]] = {}
    for model, credit in given.items():
        both = known.join(credit, on=_KEY, how="left", maintain_order="left")
        column = both["credit"].fill_null(0.0).to_numpy()
        scale = _scale(column, lift, error)
        scaled[model] = scale * column
        inside = pl.Series(scaled[model]).is_between(known["low_90"], known["high_90"])
        squares = float((((scaled[model] - lift) / error) ** 2).sum())
        rows[model] = {
            "model": model, "campaigns": len(known), "scale": scale,
            "weighted_error": weighted_error(scaled[model], lift),
            "chi_square": squares / (len(known) - 1) if len(known) > 1 else None,
            "rank_correlation": rank_correlation(column, lift), "within": int(inside.sum()),
        }  # fmt: skip
    for model, behind in _behind(scaled, lift, error).items():
        rows[model]["behind"] = behind
    return pl.DataFrame(list(rows.values()), schema=_SCHEMA).with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )


def clearly_behind(models: int) -> float:
    """Return how many standard errors behind the best tell a model apart, of so many models.

    The best is picked from all, so that the chance of an error is divided by the pairs of them
    (Bonferroni).

    Parameters
    ----------
    models : int
        How many are compared, at least 2.
    """
    return -float(ndtri(_CHANCE / (models * (models - 1) / 2)))


def _scale(credit: Floats, lift: Floats, error: Floats) -> float:
    """Return the factor of credit that fits the lifts best, by least squares; never below 0."""
    weight = 1 / error**2
    size = float((weight * credit**2).sum())
    return max(float((weight * credit * lift).sum()), 0.0) / size if size > 0 else 0.0


def _behind(scaled: dict[str, Floats], lift: Floats, error: Floats) -> dict[str, float | None]:
    """Return how many standard errors the sum of squares of each model lies behind the least.

    With m and b the scaled credit of a model and of the best, and normal errors e of the lifts, the
    difference of the two sums of squares changes by 2 e (b - m) / e's variance: its own variance is
    4 sum ((m - b) / error)^2. Where both lie equally far from what was caused its mean is 0, as in
    the test of non-nested models of Vuong (1989), with variances that are known.
    """
    squares = {model: float((((m - lift) / error) ** 2).sum()) for model, m in scaled.items()}
    best = min(squares, key=lambda model: (squares[model], model))
    found: dict[str, float | None] = {}
    for model, credit in scaled.items():
        apart = 2 * float(np.sqrt((((credit - scaled[best]) / error) ** 2).sum()))
        ahead = squares[model] - squares[best]
        found[model] = None if model == best else (ahead / apart if apart > 0 else 0.0)
    return found
