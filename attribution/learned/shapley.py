"""Credit by Shapley values: what each channel adds to the conversion rate of those exposed to it.

The players are the channels of one path, and a coalition is worth the conversion rate of the paths
exposed to exactly that set; the empty one that of paths without touches, whose part of every rate
is organic. Where no path without touches was watched it is worth 0.

A set seldom seen has no rate of its own to speak of. Its worth is that of `shrinkage` paths at an
additive rate, and of its own paths. The additive rate is a level and one term a channel, fitted by
ridge regression to the rates of all sets of an advertiser's channels, weighted by their paths. The
worth is thus one number a coalition, so that efficiency, symmetry and the null player hold in that
game whatever was seen; and both steps are linear in the conversions and treat all channels alike,
so that exchanging two channels in the data exchanges their values, and the values of two kinds of
conversions add up.

The rates are confounded: who sees more ads of a kind differs from who does not, in what he was
about to buy too. And a path ends at its conversion, while who does not convert goes on to meet more
channels: a channel that is often met late has a low value, or a negative one, for that alone.
Values describe; they are not incremental.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from attribution.histories import Histories
from attribution.learned.exposed_sets import (
    AdditiveRates,
    EmpiricalWorth,
    Exposures,
    ModelWorth,
    Worth,
    additive_rates,
    count_sets,
    expose,
    set_keys,
)
from attribution.learned.set_values import POSITIONS, divide_worth, empty_rates, place_values
from attribution.paths import Bools, Floats, Integers, Paths, positions
from warehouse.errors import ConfigError, InsufficientDataError

SHRINKAGE: Final = 500.0
"""How many paths the additive rate of a set is believed like, unless told otherwise: where one in
fifty converts, the chance error of so many is a third of their rate."""
_KIND: Final = "shapley"


@dataclass(frozen=True, eq=False)
class ShapleyModel:
    """Shapley values of the channels of every set of them that some path was exposed to.

    Attributes
    ----------
    channels : tuple of str
        Names of the campaigns.
    additive : AdditiveRates
        Rates of the empty sets, and of sets that were not seen.
    offsets, members : ndarray of int64, shapes (sets + 1,) and (memberships,)
        The channels of set k are ``members[offsets[k]:offsets[k + 1]]``.
    weights, rates : ndarray of float64, shape (sets,)
        The paths exposed to exactly that set, and what it is worth.
    parts, errors : ndarray of float64, shape (memberships,)
        The Shapley value of each member in its set, and its standard error: 0 where it is exact.
    positions : ndarray of float64, shape (channels, positions), optional
        The values of channels, by the place on the path; None unless asked for.
    """

    channels: tuple[str, ...]
    additive: AdditiveRates
    offsets: Integers
    members: Integers
    weights: Floats
    rates: Floats
    parts: Floats
    errors: Floats
    positions: Floats | None = None

    @classmethod
    def fit(cls, histories: Histories) -> Self:
        """Fit on histories cut into paths; see :meth:`fit_paths`."""
        return cls.fit_paths(histories.paths())

    @classmethod
    def fit_paths(
        cls,
        paths: Paths,
        *,
        value: Callable[[Bools], Floats] | None = None,
        ordered: bool = False,
        shrinkage: float = SHRINKAGE,
        permutations: int = 1000,
        seed: int = 0,
    ) -> Self:
        """Value the sets that paths were exposed to, and divide the worth of each.

        Parameters
        ----------
        paths : Paths
            With and without conversions.
        value : callable, optional
            The rates of any fitted model: from exposures, a bool matrix (coalitions, channels of
            the paths), to conversion rates. The rates observed when omitted.
        ordered : bool
            Whether to split the values of channels over their places on the path, as in the ordered
            values of Zhao, Mahboobi and Bagheri (Shapley value methods for attribution modeling in
            online advertising, 2018); see :meth:`position_values`.
        shrinkage : float
            How many paths the additive rate of a set is believed like, at least 0.
        permutations, seed : int
            Orders drawn for a set of more than 16 channels, and the seed of the draws.

        Raises
        ------
        ConfigError
            If the shrinkage is negative.
        InsufficientDataError
            If no path with a touch converted.
        """
        if not shrinkage >= 0:
            raise ConfigError(f"Shapley model, shrinkage {shrinkage}: give a number of paths.")
        if not (paths.weights > 0).all():
            paths = paths.take(np.flatnonzero(paths.weights > 0))
        keys = set_keys(len(paths.channels))
        exposures = expose(paths, np.arange(len(keys)), keys)
        converted = paths.weights * paths.conversions
        sets = count_sets(exposures, paths.weights, converted)
        if not sets.converted.sum() > 0:
            raise InsufficientDataError(
                f"Shapley model: none of {int((exposures.keys != 0).sum())} paths with touches "
                "converted. Fit it on more days."
            )
        groups, bases = empty_rates(paths, value)
        observed, ridge = sets.converted / sets.weights, shrinkage
        if value is None:
            additive = additive_rates(sets, observed, groups, bases, ridge=ridge)
            worth: Worth = EmpiricalWorth(sets, keys, additive, shrinkage)
        else:
            worth = ModelWorth(value, keys)
        rates, parts, errors = divide_worth(sets, worth, permutations=permutations, seed=seed)
        if value is not None:
            additive = additive_rates(sets, rates, groups, bases, ridge=ridge)
        return cls(
            paths.channels,
            additive,
            sets.offsets,
            sets.members,
            sets.weights,
            rates,
            parts,
            errors,
            place_values(paths, exposures, sets, parts) if ordered else None,
        )

    @property
    def standard_errors(self) -> dict[str, float]:
        """The standard error of each channel's value; 0 where all of its sets were exact."""
        lengths = np.diff(self.offsets)
        squares = (np.repeat(self.weights, lengths) * self.errors) ** 2
        total = np.bincount(self.members, squares, minlength=len(self.channels))
        return dict(zip(self.channels, np.sqrt(total).tolist(), strict=True))

    def values(self) -> dict[str, float]:
        """Return by channel the conversions that it adds, over all paths it was fitted on.

        They are not cut: a channel whose presence goes with fewer conversions has a negative value.
        In sum they are the paths of each set times its worth less that of the empty set.
        """
        amounts = np.repeat(self.weights, np.diff(self.offsets)) * self.parts
        total = np.bincount(self.members, amounts, minlength=len(self.channels))
        return dict(zip(self.channels, total.tolist(), strict=True))

    def position_values(self) -> dict[str, tuple[float, ...]]:
        """Return the values of channels by the place on the path, the first touch being the first.

        A channel's value in a set goes to the places where it stood in the converted paths of that
        set (in all of them where none converted), a path's touches of it sharing equally. Over the
        places the sums are :meth:`values`.

        Raises
        ------
        ConfigError
            If the model was not fitted with ``ordered=True``.
        """
        if self.positions is None:
            raise ConfigError("Shapley model: it knows no positions. Fit it with ordered=True.")
        rows = [tuple(row) for row in self.positions.tolist()]
        return dict(zip(self.channels, rows, strict=True))

    def credit(self, paths: Paths) -> Floats:
        """Return the share of each path's conversion that each of its touches earned.

        The share of a channel is its Shapley value in the path's set over the worth of the set, and
        its touches share equally. The shares of all channels sum to what the set adds to the empty
        one; where a channel's is negative it is cut to 0 and the others are lowered in proportion,
        so that this sum stays, itself cut to between 0 and 1. A set that was not seen is worth its
        additive rate, of which each channel has its term and an equal part of the level. A channel
        that the model does not know earns nothing, and neither does a set worth nothing.

        Returns
        -------
        ndarray of float64, shape (touches,)
            At least 0, and at most 1 in sum over a path; what is left is organic.
        """
        numbers = positions(paths.channels, self.channels).astype(np.int64)
        keys = set_keys(len(self.channels))
        exposures = expose(paths, numbers, keys)
        part, worth = self._parts_of(exposures, keys)
        path, size = exposures.path, len(paths)
        total = np.bincount(path, part, minlength=size).astype(np.float64)
        positive = np.maximum(part, 0.0)
        above = np.bincount(path, positive, minlength=size).astype(np.float64)
        share = np.clip(_over(total, worth), 0.0, 1.0)
        each = positive * _over(share, above)[path] / exposures.repeats
        credit = np.zeros(len(paths.touches))
        credit[exposures.touches] = each[exposures.of_touch]
        return credit

    def to_json(self) -> str:
        """Return the model as JSON; equal models give equal text."""
        cuts = self.offsets[1:-1]
        sampled = bool(self.errors.any())
        return json.dumps(
            {
                "kind": _KIND,
                "channels": self.channels,
                **{name: column.tolist() for name, column in vars(self.additive).items()},
                "members": [row.tolist() for row in np.split(self.members, cuts)],
                "weights": self.weights.tolist(),
                "rates": self.rates.tolist(),
                "parts": self.parts.tolist(),
                "errors": self.errors.tolist() if sampled else None,
                "positions": None if self.positions is None else self.positions.tolist(),
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ConfigError
            If the text is no Shapley model.
        """
        try:
            fields = json.loads(text)
            if fields["kind"] != _KIND:
                raise ValueError(_KIND)
            rows, parts = fields["members"], _floats(fields["parts"])
            errors, positions = fields["errors"], fields["positions"]
            model = cls(
                channels=tuple(str(name) for name in fields["channels"]),
                additive=AdditiveRates(
                    np.array(fields["groups"], dtype=np.int64),
                    *(_floats(fields[name]) for name in ("bases", "levels", "terms")),
                ),
                offsets=np.cumsum([0, *(len(row) for row in rows)]),
                members=np.array([one for row in rows for one in row], dtype=np.int64),
                weights=_floats(fields["weights"]),
                rates=_floats(fields["rates"]),
                parts=parts,
                errors=np.zeros(len(parts)) if errors is None else _floats(errors),
                positions=None if positions is None else _floats(positions),
            )
            model._check()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigError("model text: it is no Shapley model. Fit it again.") from error
        return model

    def _check(self) -> None:
        """Raise a ValueError where the fields do not fit each other."""
        channels, sets, additive = len(self.channels), len(self.weights), self.additive
        fit = (
            additive.groups.shape == additive.terms.shape == (channels,)
            and additive.bases.shape == additive.levels.shape
            and self.rates.shape == (sets,) == (len(self.offsets) - 1,)
            and self.parts.shape == self.errors.shape == self.members.shape
            and np.diff(self.offsets).min() > 0
        )
        if self.positions is not None:
            fit &= self.positions.shape == (channels, POSITIONS)
        if not fit or min(self.members.min(), additive.groups.min()) < 0:
            raise ValueError(sets)
        if self.members.max() >= channels or additive.groups.max() >= len(additive.bases):
            raise ValueError(channels)

    def _parts_of(self, exposures: Exposures, keys: Integers) -> tuple[Floats, Floats]:
        """Return the Shapley value of each exposure in its path, and the worth of each path."""
        own = np.bitwise_xor.reduceat(keys[self.members], self.offsets[:-1])
        order = np.argsort(own)
        place = np.minimum(np.searchsorted(own[order], exposures.keys), len(own) - 1)
        which = order[place]
        seen = own[which] == exposures.keys
        path, channel, size = exposures.path, exposures.channel, len(exposures.keys)
        lengths = np.diff(exposures.offsets)
        # of sets not seen: of a level that any channel brings, all have an equal part
        term, group = self.additive.terms[channel], self.additive.groups[channel]
        level = self.additive.levels[group] / lengths[path]
        base = self.additive.bases[group] / lengths[path]
        rank = np.arange(len(path)) - exposures.offsets[path]
        last = len(self.parts) - 1
        stored = self.parts[np.minimum(self.offsets[which[path]] + rank, last)]
        part = np.where(seen[path], stored, term + level - base)
        worth = np.where(seen, self.rates[which], np.bincount(path, term + level, minlength=size))
        return part, worth


def _floats(values: list[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _over(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where the whole is not positive."""
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
