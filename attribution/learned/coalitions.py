"""Shapley values of plain games: what each player adds to a coalition, on average over all orders.

Exact values weigh what a player adds to every coalition of the others (Shapley, A value for
n-person games, 1953). Beyond 16 players orders are drawn (Castro, Gomez and Tejada, Polynomial
calculation of the Shapley value based on sampling, 2009): efficiency still holds for every order
drawn, and each value has a standard error.
"""

from collections.abc import Callable
from math import factorial
from typing import Final, NamedTuple

import numpy as np

from attribution.paths import Bools, Floats
from warehouse.errors import ConfigError, InsufficientDataError

MOST_EXACT: Final = 16
"""Players up to which a game is solved exactly."""
_CELLS: Final = 1 << 22  # coalitions times players valued at once


class SampledValues(NamedTuple):
    """Shapley values from a sample of orders.

    Attributes
    ----------
    values : ndarray of float64, shape (players,)
        What each player added on average.
    standard_errors : ndarray of float64, shape (players,)
        Of those averages.
    """

    values: Floats
    standard_errors: Floats


def subsets(players: int) -> Bools:
    """Return who is in each coalition, by bit mask.

    Returns
    -------
    ndarray of bool, shape (2**players, players)
        Player i is in coalition c where bit i of c is set.
    """
    masks = np.arange(1 << players)[:, None]
    return np.asarray((masks >> np.arange(players)) & 1, dtype=np.bool_)


def shapley_values(values: Floats, players: int) -> Floats:
    """Return the Shapley value of each player of a game, or of many games.

    Parameters
    ----------
    values : ndarray of float64, shape (..., 2**players)
        What each coalition is worth, by bit mask: player i is in coalition c where bit i of c is
        set. The empty coalition need not be worth 0.
    players : int
        At most 16.

    Returns
    -------
    ndarray of float64, shape (..., players)
        In sum the worth of all players less that of the empty coalition.

    Raises
    ------
    ConfigError
        If there are too many players, or not a value for each coalition.
    """
    if not 0 <= players <= MOST_EXACT or values.shape[-1] != 1 << players:
        raise ConfigError(
            f"shapley_values: {values.shape[-1]} values for {players} players. Give 2**players "
            f"values of at most {MOST_EXACT} players, or use sampled_shapley."
        )
    others = max(players - 1, 0)
    # of all orders, the part in which exactly so many of the others come first
    parts = [factorial(n) * factorial(others - n) / factorial(others + 1) for n in range(players)]
    weight = np.array(parts)[subsets(others).sum(axis=1)] if players else np.zeros(0)
    found = np.zeros((*values.shape[:-1], players))
    for player in range(players):
        split = values.reshape(*values.shape[:-1], -1, 2, 1 << player)
        added = split[..., 1, :] - split[..., 0, :]
        found[..., player] = added.reshape(*values.shape[:-1], -1) @ weight
    return found


def sampled_shapley(
    value: Callable[[Bools], Floats], players: int, *, permutations: int, seed: int | list[int]
) -> SampledValues:
    """Return Shapley values of a game of any number of players from orders drawn at random.

    Parameters
    ----------
    value : callable
        From who is in each coalition, shape (coalitions, players), to what each is worth.
    players : int
        At least 1.
    permutations : int
        How many orders to draw, at least 2. Standard errors fall with its square root.
    seed : int or list of int
        Of the draws.

    Raises
    ------
    InsufficientDataError
        If fewer than two orders are to be drawn: they have no standard error.
    """
    if permutations < 2:
        raise InsufficientDataError(
            f"sampled_shapley: {permutations} orders have no standard error. Draw at least 2."
        )
    rng = np.random.default_rng(seed)
    total, squares = np.zeros(players), np.zeros(players)
    origin = np.zeros(players)
    chunk = max(_CELLS // (players * (players + 1)), 1)
    for first in range(0, permutations, chunk):
        count = min(chunk, permutations - first)
        place = rng.permuted(np.tile(np.arange(players), (count, 1)), axis=1)
        # after n steps those are in whose place in the order is below n
        joined = place[:, None, :] < np.arange(players + 1)[None, :, None]
        worth = value(joined.reshape(-1, players)).reshape(count, players + 1)
        added = np.take_along_axis(np.diff(worth, axis=1), place, axis=1)
        if first == 0:
            origin = added[0]  # squares of differences from it keep their digits
        total += (added - origin).sum(axis=0)
        squares += ((added - origin) ** 2).sum(axis=0)
    mean = total / permutations
    variance = np.maximum(squares - permutations * mean**2, 0.0) / (permutations - 1)
    return SampledValues(origin + mean, np.sqrt(variance / permutations))
