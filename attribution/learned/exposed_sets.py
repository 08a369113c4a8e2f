"""The sets of channels that paths were exposed to, and what each coalition of them is worth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from attribution.paths import Bools, Floats, Integers, Paths

_PLAIN: Final = 62  # channels up to which a set is its bits
_SMALL: Final = 1e-12  # of the largest eigenvalue: less is none


class Worth(Protocol):
    """What coalitions of channels are worth."""

    def __call__(self, members: Integers, inside: Bools) -> Floats:
        """Return the worth of coalitions of each row's members.

        Parameters
        ----------
        members : ndarray of int64, shape (sets, players)
            Channels.
        inside : ndarray of bool, shape (coalitions, players)
            Who of them is in each coalition.

        Returns
        -------
        ndarray of float64, shape (sets, coalitions)
        """
        ...


def set_keys(channels: int) -> Integers:
    """Return a number for each channel; combined by exclusive or they number each set.

    Up to 62 channels they are powers of two. Beyond they are random (Zobrist 1970), always the
    same: even of a million sets two share a number in one of ten million models.
    """
    if channels <= _PLAIN:
        return np.asarray(1 << np.arange(channels, dtype=np.int64))
    return np.random.default_rng(0).integers(1, 1 << 62, size=channels)


@dataclass(frozen=True)
class Exposures:
    """The distinct channels of each path.

    Attributes
    ----------
    path, channel, repeats : ndarray of int64, shape (exposures,)
        A path, a channel that it met and how often, by path and then by channel.
    offsets : ndarray of int64, shape (paths + 1,)
        The exposures of path k are the rows from ``offsets[k]`` up to ``offsets[k + 1]``.
    touches, of_touch : ndarray of int64, shape (known touches,)
        The touches of known channels, and the exposure of each.
    keys : ndarray of int64, shape (paths,)
        Number of the set of each path, 0 of the empty one.
    """

    path: Integers
    channel: Integers
    repeats: Integers
    offsets: Integers
    touches: Integers
    of_touch: Integers
    keys: Integers


def expose(paths: Paths, numbers: Integers, keys: Integers) -> Exposures:
    """Return the exposures of paths.

    Parameters
    ----------
    paths : Paths
        Of any channels.
    numbers : ndarray of int64, shape (channels of the paths,)
        What each is called in the answer; -1: it is left out.
    keys : ndarray of int64, shape (channels of the answer,)
        See :func:`set_keys`.
    """
    channel, width = numbers[paths.touches.channel], max(len(keys), 1)
    touches = np.flatnonzero(channel >= 0)
    codes = paths.of_touch[touches] * width + channel[touches]
    pairs, of_touch, repeats = np.unique(codes, return_inverse=True, return_counts=True)
    path, met = np.divmod(pairs, width)
    offsets = np.searchsorted(path, np.arange(len(paths) + 1))
    sets = np.zeros(len(paths), dtype=np.int64)
    some = np.flatnonzero(np.diff(offsets))
    if len(some):
        sets[some] = np.bitwise_xor.reduceat(keys[met], offsets[:-1][some])
    return Exposures(path, met, repeats, offsets, touches, of_touch, sets)


@dataclass(frozen=True)
class SeenSets:
    """The sets that some path was exposed to, by the number of each.

    Attributes
    ----------
    keys : ndarray of int64, shape (sets,)
        Their numbers, rising.
    offsets, members : ndarray of int64, shapes (sets + 1,) and (memberships,)
        The channels of set k are ``members[offsets[k]:offsets[k + 1]]``, rising.
    weights, converted : ndarray of float64, shape (sets,)
        The paths exposed to exactly that set, and their conversions.
    """

    keys: Integers
    offsets: Integers
    members: Integers
    weights: Floats
    converted: Floats

    def __len__(self) -> int:
        return len(self.keys)


def count_sets(exposures: Exposures, weights: Floats, converted: Floats) -> SeenSets:
    """Count the paths and the conversions of each set seen, the empty one left out."""
    touched = np.flatnonzero(exposures.keys)
    keys, first, which = np.unique(exposures.keys[touched], return_index=True, return_inverse=True)
    begin = exposures.offsets[touched[first]]
    lengths = exposures.offsets[touched[first] + 1] - begin
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    rows = np.repeat(begin - offsets[:-1], lengths) + np.arange(offsets[-1])
    return SeenSets(
        keys=keys,
        offsets=offsets,
        members=exposures.channel[rows],
        weights=np.bincount(which, weights[touched], minlength=len(keys)).astype(np.float64),
        converted=np.bincount(which, converted[touched], minlength=len(keys)).astype(np.float64),
    )


@dataclass(frozen=True)
class AdditiveRates:
    """A rate of every set: a level of its group and a term of each channel.

    Attributes
    ----------
    groups : ndarray of int64, shape (channels,)
        The group of each channel.
    bases, levels : ndarray of float64, shape (groups,)
        The rate of the empty set, and the level of all others.
    terms : ndarray of float64, shape (channels,)
        What each channel adds.
    """

    groups: Integers
    bases: Floats
    levels: Floats
    terms: Floats


def additive_rates(
    sets: SeenSets, rates: Floats, groups: Integers, bases: Floats, *, ridge: float
) -> AdditiveRates:
    """Fit a level a group and a term a channel to the rates of sets, by ridge regression.

    Parameters
    ----------
    rates : ndarray of float64, shape (sets,)
        What is fitted, each weighted by the paths of its set.
    groups, bases : ndarray
        See :class:`AdditiveRates`.
    ridge : float
        Paths by which the terms are held back towards 0. With 0 the least terms are taken of all
        that fit as well.
    """
    levels, terms = np.zeros(len(bases)), np.zeros(len(groups))
    of_set = groups[sets.members[sets.offsets[:-1]]]
    lengths = np.diff(sets.offsets)
    for group in np.unique(of_set):
        chosen = np.flatnonzero(of_set == group)
        channels = np.flatnonzero(groups == group)
        rows = np.repeat(of_set == group, lengths)
        design = np.zeros((len(chosen), 1 + len(channels)))
        design[:, 0] = 1.0
        row = np.repeat(np.arange(len(chosen)), lengths[chosen])
        design[row, 1 + np.searchsorted(channels, sets.members[rows])] = 1.0
        weighted = design * sets.weights[chosen, None]
        held = np.diag(np.r_[0.0, np.full(len(channels), ridge)])
        inverse = np.linalg.pinv(design.T @ weighted + held, rcond=_SMALL, hermitian=True)
        fitted = inverse @ (weighted.T @ rates[chosen])
        levels[group], terms[channels] = fitted[0], fitted[1:]
    return AdditiveRates(groups, bases, levels, terms)


@dataclass(frozen=True)
class EmpiricalWorth:
    """The rates of the sets seen, shrunk towards additive ones.

    Attributes
    ----------
    sets : SeenSets
        What was seen.
    keys : ndarray of int64, shape (channels,)
        See :func:`set_keys`.
    additive : AdditiveRates
        Of sets that were not seen.
    shrinkage : float
        How many paths the additive rate is believed like.
    """

    sets: SeenSets
    keys: Integers
    additive: AdditiveRates
    shrinkage: float

    def __call__(self, members: Integers, inside: Bools) -> Floats:
        """Return the worth of coalitions; see :class:`Worth`."""
        shape = (len(members), len(inside))
        group = self.additive.groups[members[:, 0]]
        rates = np.repeat(self.additive.levels[group][:, None], shape[1], axis=1)
        sought = np.zeros(shape, dtype=np.int64)
        for player in range(members.shape[1]):
            channel = members[:, [player]]
            rates += np.where(inside[:, player], self.additive.terms[channel], 0.0)
            sought ^= np.where(inside[:, player], self.keys[channel], 0)
        place = np.minimum(np.searchsorted(self.sets.keys, sought), len(self.sets) - 1)
        seen = self.sets.keys[place] == sought
        paths = np.where(seen, self.sets.weights[place], 0.0)
        found = np.where(seen, self.sets.converted[place], 0.0)
        whole = paths + self.shrinkage
        shrunk = np.divide(found + self.shrinkage * rates, whole, out=rates, where=whole > 0)
        return np.where(inside.any(axis=1), shrunk, self.additive.bases[group][:, None])


@dataclass(frozen=True)
class ModelWorth:
    """The rates that any fitted model gives.

    Attributes
    ----------
    value : callable
        From exposures, shape (coalitions, channels), to conversion rates.
    keys : ndarray of int64, shape (channels,)
        See :func:`set_keys`.
    """

    value: Callable[[Bools], Floats]
    keys: Integers

    def __call__(self, members: Integers, inside: Bools) -> Floats:
        """Return the worth of coalitions; see :class:`Worth`."""
        sought = np.zeros((len(members), len(inside)), dtype=np.int64)
        for player in range(members.shape[1]):
            sought ^= np.where(inside[:, player], self.keys[members[:, [player]]], 0)
        # sets share most of their subsets: each is asked for once
        _, first, which = np.unique(sought, return_index=True, return_inverse=True)
        row, coalition = np.divmod(first, len(inside))
        exposed = np.zeros((len(first), len(self.keys)), dtype=np.bool_)
        asked, who = np.nonzero(inside[coalition])
        exposed[asked, members[row[asked], who]] = True
        rates = np.asarray(self.value(exposed), dtype=np.float64)
        return np.asarray(rates[which].reshape(sought.shape))
