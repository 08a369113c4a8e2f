"""Boosted trees for the intensity of conversions, and what holdouts say of all touches together.

Trees learn to tell conversions from drawn moments. With the logarithm of the density of the draws
as an offset, the log-odds are those of the intensity.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from attribution.conversions import HOUR_US
from attribution.histories import Histories
from attribution.learned.exposure_features import (
    CATEGORIES,
    DOSES,
    IMPRESSION,
    INTENT,
    Rates,
    all_doses,
    intent_features,
    touch_doses,
)
from attribution.learned.exposure_moments import Controls, distinct, moments_of
from attribution.paths import Bools, Floats
from warehouse.errors import InsufficientDataError

_LEAST_CONVERSIONS: Final = 30.0
_LEAST_ACTED: Final = 30.0  # conversions after a click or view, for trees of their own
_ROUNDS: Final = 100
_PARAMETERS: Final = {
    "objective": "binary",
    "learning_rate": 0.1,
    "max_delta_step": 2.0,  # the odds of conversions after clicks are far from where they start
    "num_leaves": 8,
    "min_data_in_leaf": 40,
    "lambda_l2": 5.0,
    "monotone_constraints_method": "intermediate",
    "boost_from_average": False,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # histograms of several threads are summed in another order
    "seed": 0,
}


@dataclass(frozen=True)
class Sample:
    """Conversions and drawn moments.

    Attributes
    ----------
    intent : ndarray of float64, shape (n, columns of INTENT)
        Signs of intent.
    doses : ndarray of float64, shape (n, columns of DOSES)
        Of the touches shown.
    label : ndarray of float64, shape (n,)
        1 for a conversion.
    weight : ndarray of float64, shape (n,)
        How many conversions a row stands for, by their probability; 1 for drawn moments.
    density : ndarray of float64, shape (n,)
        Drawn moments an hour where the row is.
    start : float
        Logarithm of the conversions an hour of all histories.
    rates : Rates
        Of the campaigns.
    """

    intent: Floats
    doses: Floats
    label: Floats
    weight: Floats
    density: Floats
    start: float
    rates: Rates

    @classmethod
    def of(cls, histories: Histories, *, lookback_us: int) -> Self:
        """Take all conversions, and draw moments.

        Raises
        ------
        InsufficientDataError
            If too few histories converted.
        """
        found = np.flatnonzero(histories.probability > 0)
        history, time_us = histories.conversion_history[found], histories.conversion_us[found]
        counted = histories.probability[found] * histories.weights[history]
        if counted.sum() < _LEAST_CONVERSIONS:
            raise InsufficientDataError(
                f"counterfactual model: {counted.sum():g} conversions are fewer than the "
                f"{_LEAST_CONVERSIONS:g} that it needs. Give it more days or users."
            )
        cases = moments_of(histories, history, time_us, lookback_us=lookback_us)
        rates = Rates.fit(histories, cases, counted)
        drawn = Controls.draw(histories, lookback_us=lookback_us)
        history = np.concatenate([history, drawn.history])
        time_us = np.concatenate([time_us, drawn.time_us])
        label = np.repeat([1.0, 0.0], [len(found), len(drawn.history)])
        # the order of rows must play no part in the trees
        whose = histories.user[history], histories.advertiser[history]
        order = np.lexsort((label, time_us, *whose))
        history, time_us, label = history[order], time_us[order], label[order]
        moments = moments_of(histories, history, time_us, lookback_us=lookback_us)
        hours = histories.weights.sum() * (histories.end_us - histories.start_us) / HOUR_US
        return cls(
            intent=intent_features(moments, rates),
            doses=all_doses(moments, touch_doses(moments, rates)),
            label=label,
            weight=np.concatenate([counted, np.ones(len(drawn.history))])[order],
            density=drawn.density(histories, history, time_us, lookback_us=lookback_us),
            start=float(np.log(counted.sum() / hours)),
            rates=rates,
        )

    @property
    def acted(self) -> Bools:
        """Where a click or an engaged view came before, shape (n,)."""
        return acted(self.doses)

    def impressions(self) -> Floats:
        """Return the dose of impressions, summed over all hours of all histories."""
        drawn = self.label == 0
        return np.asarray((self.doses[drawn, -1] / self.density[drawn]).sum())


def acted(doses: Floats) -> Bools:
    """Return which rows of doses have a click or an engaged view, shape (n,)."""
    return np.asarray((doses[:, :-1] > 0).any(axis=1))


def train_intent(sample: Sample) -> str:
    """Return trees, as text, for the logarithm of the intensity over its start, by intent alone."""
    rows = ~sample.acted
    offset = sample.start - np.log(sample.density[rows])
    data = _Data(sample.intent[rows], sample.label[rows], sample.weight[rows], offset)
    return _train(data, INTENT, CATEGORIES, [0] * len(INTENT))


def train_touches(sample: Sample, log_intensity: Floats) -> str:
    """Return trees, as text, for the logarithm of the factor of clicks and views; none where few.

    Parameters
    ----------
    sample : Sample
        Conversions and drawn moments.
    log_intensity : ndarray of float64, shape (n,)
        What intent alone tells: a column too, since what clicks add hangs little on intent.
    """
    rows = sample.acted
    if (sample.label * sample.weight)[rows].sum() < _LEAST_ACTED:
        return ""
    columns = touch_columns(log_intensity[rows], sample.doses[rows])
    offset = log_intensity[rows] - np.log(sample.density[rows])
    data = _Data(columns, sample.label[rows], sample.weight[rows], offset)
    names = ("intent", *DOSES[:-1])
    return _train(data, names, (), [0] + [1] * (len(names) - 1))


def touch_columns(log_intensity: Floats, doses: Floats) -> Floats:
    """Return the columns of :func:`train_touches`."""
    return np.column_stack([log_intensity, doses[:, :-1]])


def conversions_caused(histories: Histories, *, lookback_us: int) -> tuple[float, float] | None:
    """Return how many conversions touches caused by the holdouts, and the variance; None without.

    Conversions of users within the look-back of an opportunity are compared between those to whom
    its campaign was shown and those from whom it was withheld. Neither touches nor conversions in
    between are looked at, since these hang on what was shown.
    """
    channels, touches = len(histories.channels), histories.touches
    weights = histories.weights
    seen = np.flatnonzero(touches.kind == IMPRESSION)
    arm = (histories.touch_history * channels + touches.channel)[seen] * 2 + touches.shown[seen]
    pairs = distinct(arm)
    users = np.bincount(pairs % 2, weights[pairs // (2 * channels)], 2)
    moments = moments_of(
        histories,
        histories.conversion_history,
        histories.conversion_us,
        lookback_us=lookback_us,
        cut=False,
    )
    seen = np.flatnonzero(moments.touches.kind == IMPRESSION)
    arm = (moments.of_touch * channels + moments.touches.channel)[seen] * 2
    pairs = distinct(arm + moments.touches.shown[seen])
    counted = (histories.probability * weights[histories.conversion_history])[
        pairs // (2 * channels)
    ]
    converted = np.bincount(pairs % 2, counted, 2)
    if converted[0] == 0 or users[0] == 0:
        return None
    odds = users[1] / users[0]
    caused = converted[1] - odds * converted[0]
    return float(caused), float(converted[1] + odds**2 * converted[0])


@dataclass(frozen=True)
class _Data:
    columns: Floats
    label: Floats
    weight: Floats
    offset: Floats


def _train(
    data: _Data, names: tuple[str, ...], categories: tuple[str, ...], monotone: list[int]
) -> str:
    import lightgbm  # slow to import, and few commands need it

    parameters = {**_PARAMETERS, "monotone_constraints": monotone}
    dataset = lightgbm.Dataset(
        data.columns,
        data.label,
        weight=data.weight,
        init_score=data.offset,
        feature_name=list(names),
        categorical_feature=list(categories),
        params=parameters,
    )
    return str(lightgbm.train(parameters, dataset, _ROUNDS).model_to_string())
