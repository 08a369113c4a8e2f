"""How many conversions each campaign caused: readings of the holdouts and a hazard, made one.

Three estimates are made of the conversions that each campaign caused: two readings of the ads that
were withheld at random (``holdouts.readings``), and the credit of an additive hazard (``hazard``),
which knows of them too. The readings count the same few held-out users, so that their mean stands
for one. They need many held-out users and little form; the hazard needs few, but its form must be
right. So the hazard's part of the answer is half where it differs from the readings by no more than
sampling explains, and less as it differs by more: half of the variance of the difference over its
mean square. On simulated worlds, whose form the hazard has, the mean is nearer than the readings,
and steadier than the hazard where people who are shopping are shown most ads; where effects fade in
another way than the hazard's, the readings have nearly all the say.

Without holdouts, or with too few of them, the hazard answers alone: effects and organic conversions
are told apart by its form, which is a weaker estimate; ``basis`` says so.

The error of a figure is that of a Poisson bootstrap over users and matches, in which everything is
estimated anew, and by how much the hazard's part may be wrong beyond it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.special import stdtrit

from attribution.bootstrap import resampled
from attribution.histories import Histories
from attribution.holdouts.evidence import Evidence, read_evidence
from attribution.holdouts.readings import Readings, plain_lifts, read_holdouts, require_controls
from attribution.learned.hazard import AdditiveHazard
from attribution.learned.hazard_cells import add_up
from attribution.learned.hazard_rates import HazardReading
from attribution.paths import Floats
from warehouse.errors import ConfigError, InsufficientDataError

REPLICATES: Final = 20
"""Refits of the bootstrap."""
_LEAST_REPLICATES: Final = 2


@dataclass(frozen=True)
class Estimates:
    """Conversions that campaigns caused, as each way of looking has it.

    Attributes
    ----------
    hazard : AdditiveHazard
        As it was fitted.
    by_hazard : ndarray of shape (channels,)
        What it credits.
    readings : Readings or None
        Of the holdouts.
    """

    hazard: AdditiveHazard
    by_hazard: Floats
    readings: Readings | None

    def answer(self, part: float) -> Floats:
        """Return the mean, with the hazard's part in it."""
        if self.readings is None:
            return self.by_hazard
        return np.asarray((1 - part) * self.readings.mean + part * self.by_hazard)


@dataclass(frozen=True)
class Caused:
    """Conversions that campaigns caused.

    Attributes
    ----------
    incremental, error : ndarray of shape (channels,)
        How many, and their standard error.
    total_error : float
        The standard error of their sum.
    part : float
        The hazard's part of the answer.
    estimates : Estimates
        What it is the mean of.
    evidence : Evidence or None
        Of the holdouts; None where there are none, or too few.
    """

    incremental: Floats
    error: Floats
    total_error: float
    part: float
    estimates: Estimates
    evidence: Evidence | None


def incremental_credit(
    histories: Histories, *, level: float = 0.9, replicates: int = REPLICATES, seed: int = 0
) -> pl.DataFrame:
    """Return the conversions that each campaign caused, and what each way of looking says.

    Parameters
    ----------
    histories : Histories
        What users saw and did. Conversions known by a click id alone must not be among it.
    level : float
        Of the intervals, which are Student's, with a degree of freedom less than there are
        replicates.
    replicates : int
        Of the bootstrap, at least 2.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        campaign_id, incremental, standard_error, low, high; by_last_touch, by_opportunity and
        by_hazard (what it is the mean of) with hazard_part (the weight of the last, the same for
        all), lift (the plain one). Null is what cannot be told without holdouts.

    Raises
    ------
    InsufficientDataError
        If the histories hold fewer than 10 conversions.
    ConfigError
        If the level is not between 0 and 1, or there are fewer than 2 replicates.
    """
    if not 0 < level < 1:
        raise ConfigError(f"level = {level}: not between 0 and 1. Use 0.9 for 90% intervals.")
    found = find_caused(histories, replicates, seed)
    readings, size = found.estimates.readings, len(found.incremental)
    untold = np.full(size, np.nan)
    columns = {
        "incremental": found.incremental,
        **limits(found.incremental, found.error, level=level, replicates=replicates),
        "by_last_touch": untold if readings is None else readings.by_last_touch,
        "by_opportunity": untold if readings is None else readings.by_opportunity,
        "by_hazard": found.estimates.by_hazard,
        "hazard_part": np.full(size, found.part),
        "lift": untold if found.evidence is None else plain_lifts(found.evidence),
    }
    names = pl.Series("campaign_id", list(histories.channels), dtype=pl.String)
    return pl.DataFrame({"campaign_id": names, **columns}).with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )


def limits(
    estimate: Floats, error: Floats, *, level: float = 0.9, replicates: int = REPLICATES
) -> dict[str, Floats]:
    """Return standard_error, low and high of estimates, each of shape (channels,)."""
    reach = float(stdtrit(replicates - 1, 0.5 + level / 2)) * error
    return {
        "standard_error": error,
        "low": np.maximum(estimate - reach, 0.0),
        "high": np.asarray(estimate + reach),
    }


def find_caused(histories: Histories, replicates: int, seed: int) -> Caused:
    """Return what campaigns caused, with its error by a bootstrap.

    Parameters and errors are those of :func:`incremental_credit`.
    """
    if replicates < _LEAST_REPLICATES:
        raise ConfigError(f"replicates = {replicates}: an error needs 2 at least. Use 20.")
    evidence = _evidence(histories)
    reading = HazardReading.of(histories)
    found = _estimate(histories, reading, evidence)
    again = []
    for number in range(replicates):
        drawn = resampled(histories, replicate=number, seed=seed)
        again.append(_estimate(drawn, reading.drawn(drawn), evidence))
    part, doubt = _part_of_hazard(found, again)
    incremental = found.answer(part)
    answers = np.column_stack([one.answer(part) for one in again])
    error = np.asarray(np.sqrt(answers.var(axis=1, ddof=1) + doubt * incremental**2))
    # a form that is wrong is wrong for all campaigns alike
    of_total = answers.sum(axis=0).var(ddof=1) + doubt * incremental.sum() ** 2
    return Caused(incremental, error, float(np.sqrt(of_total)), part, found, evidence)


def _part_of_hazard(found: Estimates, again: list[Estimates]) -> tuple[float, float]:
    """Return the hazard's part of the answer, and the relative variance that it may bring in."""
    if found.readings is None:
        return 1.0, 0.0
    size = float((found.readings.mean**2).sum())
    steps = np.column_stack([_step(one) for one in again])
    sampling = float(steps.var(axis=1, ddof=1).sum())
    beyond = max(float((_step(found) ** 2).sum()) - sampling, 0.0)
    part = 0.5 * sampling / (sampling + beyond) if sampling + beyond > 0 else 0.5
    return part, part**2 * beyond / size if size > 0 else 0.0


def _step(found: Estimates) -> Floats:
    """Return by how much the hazard is above the readings."""
    readings = found.by_hazard if found.readings is None else found.readings.mean
    return np.asarray(found.by_hazard - readings)


def _evidence(histories: Histories) -> Evidence | None:
    """Return what the holdouts say; None where they are none or too few."""
    if histories.touches.shown.all():
        return None
    evidence = read_evidence(histories)
    try:
        require_controls(evidence)
    except InsufficientDataError:
        return None
    return evidence


def _estimate(histories: Histories, reading: HazardReading, evidence: Evidence | None) -> Estimates:
    """Return the estimates, each conversion counted by its weight and probability."""
    hazard = AdditiveHazard.fit(histories, reading=reading)
    paths = reading.paths
    worth = paths.weights * paths.conversions
    earned: Floats = add_up(
        paths.touches.channel,
        hazard.credit(paths) * worth[paths.of_touch],
        size=len(paths.channels),
    )
    readings = None if evidence is None else read_holdouts(evidence, worth)
    return Estimates(hazard, earned, readings)
