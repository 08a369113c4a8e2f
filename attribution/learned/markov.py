"""Credit by removal effects: what share of conversions a Markov chain loses without a channel.

The chain of Anderl, Becker, von Wangenheim and Schumann (Mapping the customer journey, 2016),
solved exactly. It describes who converts after which ads; it does not tell what ads caused: people
who shop anyway see more of them, and the effects share in that.
"""

import json
from dataclasses import asdict, dataclass
from typing import Final, Self

import numpy as np

from attribution.histories import Histories
from attribution.learned.chains import count_transitions
from attribution.learned.channel_groups import group_channels
from attribution.paths import Floats, Paths
from warehouse.errors import ConfigError, InsufficientDataError

MOST_CHANNELS_BACK: Final = 4
"""The highest order of a chain."""
_KIND: Final = "markov"


@dataclass(frozen=True)
class MarkovModel:
    """Removal effects of an absorbing chain.

    Paths without touches go from the start straight to their end. Their conversions, the baseline,
    no removal can lose: they count in the rates, and lower removal effects as shares of all
    conversions, but not the ratios of the effects, by which credit is divided.

    Attributes
    ----------
    order : int
        How many channels back a state remembers.
    channels : tuple of str
        Names of the campaigns.
    groups : tuple of int
        For each channel the number of its group: channels of one advertiser, whose conversions are
        divided among them.
    conversion_rate, value_rate : float
        Conversions and value for each path from the start, as the chain expects them: at every
        order those observed.
    losses, value_losses : tuple of float
        The conversions and the value lost when each channel is removed.
    conversions, values : tuple of float
        The conversions and the value of paths with touches, of each group.
    baseline, value_baseline : float
        Those of paths without touches.
    """

    order: int
    channels: tuple[str, ...]
    groups: tuple[int, ...]
    conversion_rate: float
    value_rate: float
    losses: tuple[float, ...]
    value_losses: tuple[float, ...]
    conversions: tuple[float, ...]
    values: tuple[float, ...]
    baseline: float
    value_baseline: float

    @classmethod
    def fit(cls, histories: Histories, *, order: int = 1) -> Self:
        """Fit on histories cut into paths; see :meth:`fit_paths`."""
        return cls.fit_paths(histories.paths(), order=order)

    @classmethod
    def fit_paths(cls, paths: Paths, *, order: int = 1) -> Self:
        """Count the transitions of paths, with and without conversion, and solve the chain.

        Parameters
        ----------
        paths : Paths
            A path of conversion probability p and weight w counts w * p times as converted and
            w * (1 - p) times as not. Values are at least 0.
        order : int
            How many channels back a state remembers, 1 to 4.

        Raises
        ------
        ConfigError
            If there is no chain of that order.
        InsufficientDataError
            If no path with a touch converted.
        """
        if order not in range(1, MOST_CHANNELS_BACK + 1):
            raise ConfigError(
                f"Markov model, order {order}: orders are 1 to {MOST_CHANNELS_BACK}. Choose one."
            )
        converted = paths.weights * paths.conversions
        touched = np.diff(paths.offsets) > 0
        if not converted[touched].sum() > 0:
            raise InsufficientDataError(
                f"Markov model: none of {int(touched.sum())} paths with touches converted. "
                "Fit it on more days."
            )
        chain = count_transitions(paths, order=order)
        rates, losses = chain.rates(), chain.losses()
        groups, _ = group_channels(paths)
        # the group of a path is that of its first touch
        theirs = groups[paths.touches.channel[paths.offsets[:-1][touched]]]
        amounts = [
            np.bincount(theirs, amount[touched], minlength=int(groups.max()) + 1)
            for amount in (converted, converted * paths.values)
        ]
        return cls(
            order=order,
            channels=paths.channels,
            groups=tuple(groups.tolist()),
            conversion_rate=rates[0],
            value_rate=rates[1],
            losses=tuple(losses[0].tolist()),
            value_losses=tuple(losses[1].tolist()),
            conversions=tuple(amounts[0].tolist()),
            values=tuple(amounts[1].tolist()),
            baseline=chain.untouched[0],
            value_baseline=chain.untouched[1],
        )

    def removal_effects(self, *, by_value: bool = False, baseline: bool = True) -> dict[str, float]:
        """Return by channel the share of conversions lost when it is removed, 0 to 1.

        Parameters
        ----------
        by_value : bool
            The share of the value instead.
        baseline : bool
            Of all conversions, which is the effect on the probability from the start. False: of
            those of paths with touches, as where the others were never logged.
        """
        losses, amounts, untouched = self._amounts(by_value=by_value)
        whole = amounts.sum() + (untouched if baseline else 0.0)
        shares = np.minimum(_share(losses, np.full(len(losses), whole)), 1.0)
        return dict(zip(self.channels, shares.tolist(), strict=True))

    def channel_credit(self, *, by_value: bool = False) -> dict[str, float]:
        """Return by channel its conversions: removal effects, normalised over its group's channels.

        They sum to the conversions of the group's paths with touches; the baseline is nobody's.

        Parameters
        ----------
        by_value : bool
            The value instead, by the removal effects on value.
        """
        losses, amounts, _ = self._amounts(by_value=by_value)
        groups = np.array(self.groups)
        whole = np.bincount(groups, losses, minlength=len(amounts))
        credit = _share(losses, whole[groups]) * amounts[groups]
        return dict(zip(self.channels, credit.tolist(), strict=True))

    def credit(self, paths: Paths) -> Floats:
        """Return the share of each path's conversion that each of its touches earned.

        The channels of a path share in proportion to their removal effects. Removal takes away all
        touches of a channel at once, so a channel counts once and its touches share equally.
        Channels that the model does not know have no effect; where no touch has one, all share
        equally. So a path with touches is divided whole.

        Returns
        -------
        ndarray of float64, shape (touches,)
            Sums to 1 over a path with touches.
        """
        known = dict(zip(self.channels, self.losses, strict=True))
        effect = np.array([known.get(name, 0.0) for name in paths.channels])
        lengths = np.diff(paths.offsets)
        of_touch, channel = paths.of_touch, paths.touches.channel
        pair = of_touch * max(len(effect), 1) + channel
        _, which, repeats = np.unique(pair, return_inverse=True, return_counts=True)
        part = effect[channel] / repeats[which]
        whole = np.bincount(of_touch, part, minlength=len(paths)).astype(np.float64)[of_touch]
        equal = np.repeat(1 / np.maximum(lengths, 1), lengths)
        return np.where(whole > 0, _share(part, whole), equal)

    def to_json(self) -> str:
        """Return the model as JSON; equal models give equal text."""
        return json.dumps({"kind": _KIND, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ConfigError
            If the text is no Markov model.
        """
        try:
            fields = json.loads(text)
            if fields["kind"] != _KIND:
                raise ValueError(_KIND)
            model = cls(
                order=int(fields["order"]),
                channels=tuple(str(name) for name in fields["channels"]),
                groups=tuple(int(group) for group in fields["groups"]),
                conversion_rate=float(fields["conversion_rate"]),
                value_rate=float(fields["value_rate"]),
                losses=_numbers(fields["losses"]),
                value_losses=_numbers(fields["value_losses"]),
                conversions=_numbers(fields["conversions"]),
                values=_numbers(fields["values"]),
                baseline=float(fields["baseline"]),
                value_baseline=float(fields["value_baseline"]),
            )
            model._check()
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ConfigError("model text: it is no Markov model. Fit it again.") from error
        return model

    def _check(self) -> None:
        """Raise a ValueError where the fields do not fit each other."""
        per_channel = {len(self.channels), len(self.losses), len(self.value_losses)}
        fit = {len(self.groups)} == per_channel and len(self.conversions) == len(self.values)
        if not fit or max(self.groups) >= len(self.conversions) or min(self.groups) < 0:
            raise ValueError(self.groups)

    def _amounts(self, *, by_value: bool) -> tuple[Floats, Floats, float]:
        """Return the losses by channel, the amounts by group, and that without touches."""
        if by_value:
            return np.array(self.value_losses), np.array(self.values), self.value_baseline
        return np.array(self.losses), np.array(self.conversions), self.baseline


def _numbers(values: list[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _share(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where the whole is."""
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
