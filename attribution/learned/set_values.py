"""The worth of exposed sets divided among their channels, and over places on the path."""

from collections.abc import Callable
from typing import Final

import numpy as np

from attribution.learned.channel_groups import group_channels
from attribution.learned.coalitions import MOST_EXACT, sampled_shapley, shapley_values, subsets
from attribution.learned.exposed_sets import Exposures, SeenSets, Worth
from attribution.paths import Bools, Floats, Integers, Paths

POSITIONS: Final = 16
"""Places on a path that ordered values tell apart; the last stands for all later ones too."""
_CELLS: Final = 1 << 20  # coalitions valued at once


def empty_rates(paths: Paths, value: Callable[[Bools], Floats] | None) -> tuple[Integers, Floats]:
    """Return the group of each channel, and what the empty set of each group is worth.

    It is the rate of the group's paths without touches, 0 where there is none, or what `value`
    says of no exposure.
    """
    of_channel, of_advertiser = group_channels(paths)
    groups = int(of_channel.max(initial=-1)) + 1
    if value is not None:
        nobody = np.zeros((1, len(of_channel)), dtype=np.bool_)
        return of_channel, np.repeat(np.asarray(value(nobody), dtype=np.float64), groups)
    alone = np.diff(paths.offsets) == 0
    alone &= of_advertiser[paths.advertiser] >= 0
    group, weights = of_advertiser[paths.advertiser[alone]], paths.weights[alone]
    whole = np.bincount(group, weights, minlength=groups)
    found = np.bincount(group, weights * paths.conversions[alone], minlength=groups)
    return of_channel, np.divide(found, whole, out=np.zeros(groups), where=whole > 0)


def divide_worth(
    sets: SeenSets, worth: Worth, *, permutations: int, seed: int
) -> tuple[Floats, Floats, Floats]:
    """Divide the worth of each set among its channels.

    Returns
    -------
    rates : ndarray of float64, shape (sets,)
        The worth.
    parts, errors : ndarray of float64, shape (memberships,)
        Shapley values and their standard errors: 0 up to 16 channels, where they are exact.
    """
    lengths = np.diff(sets.offsets)
    rates, parts = np.zeros(len(sets)), np.zeros(len(sets.members))
    errors = np.zeros(len(sets.members))
    for size in np.unique(lengths):
        alike = np.flatnonzero(lengths == size)
        # sampled ones draw from seeds of their own, so that no set's answer hangs on the others
        step = max(_CELLS >> int(size), 1) if size <= MOST_EXACT else 1
        for first in range(0, len(alike), step):
            chosen = alike[first : first + step]
            rows = sets.offsets[chosen][:, None] + np.arange(size)
            members = sets.members[rows]
            if size <= MOST_EXACT:
                worths = worth(members, subsets(int(size)))
                rates[chosen] = worths[:, -1]
                parts[rows] = shapley_values(worths, int(size))
            else:
                rates[chosen] = worth(members, np.ones((1, size), dtype=np.bool_))[:, 0]
                sampled = sampled_shapley(
                    _of_one(worth, members),
                    int(size),
                    permutations=permutations,
                    seed=[seed, *members[0].tolist()],
                )
                parts[rows[0]], errors[rows[0]] = sampled
    return rates, parts, errors


def place_values(paths: Paths, exposures: Exposures, sets: SeenSets, parts: Floats) -> Floats:
    """Split the values of channels over the places of their touches on the path.

    Returns
    -------
    ndarray of float64, shape (channels, 16)
        Over the places they sum to the value of the channel.
    """
    which = np.searchsorted(sets.keys, exposures.keys)  # of touched paths: all sets were seen
    path, lengths = exposures.path, np.diff(sets.offsets)
    rank = np.arange(len(path)) - exposures.offsets[path]
    membership = sets.offsets[which[path]] + rank
    converted = paths.weights * paths.conversions
    at = np.minimum(which, len(sets) - 1)
    counted = np.where(sets.converted[at] > 0, converted, paths.weights)
    whole = np.where(sets.converted > 0, sets.converted, sets.weights)
    amount = np.repeat(sets.weights / whole, lengths) * parts
    each = amount[membership] * counted[path] / exposures.repeats
    begin = paths.offsets[paths.of_touch[exposures.touches]]
    place = np.minimum(exposures.touches - begin, POSITIONS - 1)
    cell = exposures.channel[exposures.of_touch] * POSITIONS + place
    channels = len(paths.channels)
    table = np.bincount(cell, each[exposures.of_touch], minlength=channels * POSITIONS)
    return np.asarray(table.reshape(channels, POSITIONS))


def _of_one(worth: Worth, members: Integers) -> Callable[[Bools], Floats]:
    """Return the worth of the coalitions of one set's members."""

    def value(inside: Bools) -> Floats:
        return np.asarray(worth(members, inside)[0])

    return value
