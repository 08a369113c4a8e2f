"""Intervals of credit by a Poisson bootstrap over users, in one pass.

A bootstrap draws users anew with replacement. With many users the number of times that one is drawn
is Poisson with mean 1, independent of the others, so that each may be drawn as it is met (Hanley
and MacGibbon 2006, "Creating non-parametric bootstrap samples using Poisson frequencies"; Chamandy,
Muralidharan, Najmi and Naidu 2012, "Estimating uncertainty for massive data streams"). The draw is
a hash of the seed, the user and the replicate: it depends on nothing else, neither order nor
threads nor where the user's rows lie.

Matches are uncertain too: in each replicate a conversion is its user's or not, with the probability
p that it is. That draw B, of mean p, stands beside the user's draw w and is not multiplied by it: a
conversion counts w p + (B - p) times, of variance p^2 + p (1 - p), as wide as intervals would be on
average if owners were known. As w B it would be p^2 + 2 p (1 - p), for w has mean square 2: a user
drawn twice would have a match drawn once for both. Credit is a mean over matches already, so that
the interval holds what is expected a little more often than said; and two users who may be one
conversion's owner are drawn apart, which widens it a little too.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl
from scipy import sparse
from scipy.special import ndtri

from attribution.draws import (
    bootstrap_weights,
    conversion_words,
    match_draw,
    match_draws,
    mixed,
    user_draw,
)
from attribution.histories import Histories
from attribution.paths import Floats, Integers, Paths
from warehouse.errors import ConfigError, InsufficientDataError

__all__ = ["bootstrap_weights", "credit_intervals", "interval_of", "resampled"]

REPLICATES: Final = 200
REFITS: Final = 40
"""Replicates when a model is fitted anew in each."""
_ENTRIES: Final = 1 << 23  # draws that are held at once
_LEAST_USERS: Final = 2


def credit_intervals(
    paths: Paths,
    credit: Floats,
    *,
    by: str | Integers = "channel",
    replicates: int | None = None,
    level: float = 0.9,
    seed: int = 0,
    values: bool = False,
    refit: Callable[[Paths], Floats] | None = None,
) -> pl.DataFrame:
    """Return the sum of credit by channel with its interval.

    What varies is who was watched and what he did; the interval is of the credit expected of so
    many such users under the same rule. Its variance is the bootstrap's, and its limits are those
    of a count of as many independent parts as have that variance (a score interval). Percentiles
    held the truth of sums of ten conversions 89.0% of the time and lay below it in 7.7% of cases,
    above in 3.3%; basic intervals 87.9%; studentised ones, which cost a second pass, 90.7%; these
    90.1%, 5.2% below and 4.8% above. From a hundred conversions on all but the basic ones agree.

    Parameters
    ----------
    paths : Paths
        Those of all users who were watched. A row that stands for several is drawn as one user's.
    credit : ndarray of shape (touches,)
        The share of its path's conversion that each touch earned.
    by : str or ndarray of int64, shape (touches,)
        "channel", "advertiser" or "segment", or a number for each touch.
    replicates : int, optional
        200, or 40 with `refit`.
    level : float
        How probable it should be that the interval holds the expected credit.
    seed : int
        Of the draws.
    values : bool
        Whether to sum the value of conversions, each times its probability, instead of their
        number.
    refit : callable, optional
        Given paths whose weights and conversions were drawn anew, returns the credit of their
        touches by a model fitted on them; the interval then holds the model's own doubt too.
        Weights must not be negative there, so that the draw of a match is multiplied by that of
        its user, which overstates the doubt of matches a little.

    Returns
    -------
    DataFrame
        name (or number), credit, standard_error, low, high.

    Raises
    ------
    ConfigError
        If `by` is no such name or the level is not between 0 and 1.
    InsufficientDataError
        If the paths are those of fewer than two users.
    """
    names, group = _groups(paths, by)
    _check(level, paths.user)
    size = len(names)
    worth = paths.weights * (paths.values if values else 1.0)
    rounds = replicates or (REPLICATES if refit is None else REFITS)
    sums = sparse.csr_array(
        (credit, (group, paths.of_touch)), shape=(size, len(paths)), dtype=np.float64
    )
    estimate = sums @ (worth * paths.conversions)
    if refit is None:
        drawn = _sums(paths, sums, worth, replicates=rounds, seed=seed)
    else:
        drawn = np.empty((size, rounds))
        for number, again in enumerate(_replicates(paths, rounds, seed)):
            won = again.weights * (again.values if values else again.conversions)
            earned = refit(again) * won[again.of_touch]
            drawn[:, number] = np.bincount(group, earned, minlength=size)
    key = "number" if isinstance(names[0] if size else "", int) else "name"
    return _table(key, names, estimate, drawn, level)


def resampled(histories: Histories, *, replicate: int, seed: int) -> Histories:
    """Return histories as one replicate draws them: each as often as its user is, or never.

    A history's weight is multiplied by the draw, and that of its conversions with it, as every
    conversion takes its weight from its history. A conversion's probability becomes 1 or 0:
    the draw of a match is multiplied by that of its user, as weights must not be negative, which
    overstates the doubt of matches a little.
    """
    drawn = user_draw(mixed(histories.user), replicate, seed)
    owner = histories.conversion_history
    identity = conversion_words(
        histories.user[owner], histories.advertiser[owner], histories.conversion_us
    )
    found = match_draw(identity, histories.probability, replicate, seed)
    return replace(
        histories,
        weights=histories.weights * drawn,
        probability=found.astype(np.float64),
        value=np.where(found, histories.value, 0.0),
    )


def interval_of(estimate: Floats, drawn: Floats, level: float) -> tuple[Floats, Floats, Floats]:
    """Return the standard error, low and high of estimates of which replicates were drawn.

    Parameters
    ----------
    estimate : ndarray of shape (k,)
        At least 0.
    drawn : ndarray of shape (k, replicates)
        The same figures in each replicate, of any sign.
    level : float
        Between 0 and 1.
    """
    error = np.sqrt(((drawn - estimate[:, None]) ** 2).mean(axis=1))
    # the variance of a count of groups is their size: the figure is like estimate / size of them
    size = np.divide(error**2, estimate, out=np.zeros_like(error), where=estimate > 0)
    reach = _quantile(level) ** 2 * size
    middle = estimate + reach / 2
    half = np.sqrt(reach * estimate + reach**2 / 4)
    return error, middle - half, middle + half


def _table(
    key: str,
    names: tuple[str, ...] | tuple[int, ...],
    estimate: Floats,
    drawn: Floats,
    level: float,
) -> pl.DataFrame:
    error, low, high = interval_of(estimate, drawn, level)
    columns = {"credit": estimate, "standard_error": error, "low": low, "high": high}
    return pl.DataFrame({key: list(names), **columns})


def _sums(
    paths: Paths, sums: "sparse.csr_array", worth: Floats, *, replicates: int, seed: int
) -> Floats:
    """Return the sums of each replicate, worked out a block of paths at a time.

    A sum may lie below 0 where matches are uncertain; its variance alone is used.
    """
    earning = np.unique(sums.indices[sums.data != 0]).astype(np.int64)
    earning = earning[(worth * paths.conversions)[earning] != 0]
    drawn = np.zeros((sums.shape[0], replicates))
    columns = sums.tocsc()
    identity = conversion_words(paths.user, paths.advertiser, paths.end_us)
    for start in range(0, len(earning), max(_ENTRIES // replicates, 1)):
        rows = earning[start : start + max(_ENTRIES // replicates, 1)]
        chance = paths.conversions[rows]
        weight = bootstrap_weights(paths.user[rows], replicates, seed) * chance[:, None]
        doubtful = np.flatnonzero(chance < 1)
        if len(doubtful):
            found = match_draws(identity[rows[doubtful]], chance[doubtful], replicates, seed)
            weight[doubtful] += found - chance[doubtful, None]
        drawn += columns[:, rows] @ (weight * worth[rows, None])
    return drawn


def _replicates(paths: Paths, replicates: int, seed: int) -> Iterator[Paths]:
    """Yield the paths as each replicate draws them, each match multiplied by its user's draw."""
    words = mixed(paths.user)
    identity = conversion_words(paths.user, paths.advertiser, paths.end_us)
    for replicate in range(replicates):
        found = match_draw(identity, paths.conversions, replicate, seed)
        yield replace(
            paths,
            weights=paths.weights * user_draw(words, replicate, seed),
            conversions=found.astype(np.float64),
            values=paths.values * found,
        )


def _groups(paths: Paths, by: str | Integers) -> tuple[tuple[str, ...] | tuple[int, ...], Integers]:
    """Return the names of groups and the group of each touch."""
    if not isinstance(by, str):
        numbers, group = np.unique(by, return_inverse=True)
        return tuple(numbers.tolist()), group.astype(np.int64)
    if by == "channel":
        return paths.channels, paths.touches.channel.astype(np.int64)
    if by not in ("advertiser", "segment"):
        raise ConfigError(
            f'by = "{by}": credit cannot be summed by it. Use channel, advertiser or segment.'
        )
    return _groups(paths, getattr(paths, by)[paths.of_touch].astype(np.int64))


def _check(level: float, user: Integers) -> None:
    if not 0 < level < 1:
        raise ConfigError(f"level = {level}: not between 0 and 1. Use 0.9 for 90% intervals.")
    if len(user) == 0 or (user == user[0]).all():
        raise InsufficientDataError(
            f"intervals of credit: fewer than {_LEAST_USERS} users. Take more days or users."
        )


def _quantile(level: float) -> float:
    return float(ndtri(0.5 + level / 2))
