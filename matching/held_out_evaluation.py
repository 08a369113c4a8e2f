"""A model beside the e-mails and phones of signals that were held out, where no truth is known.

A candidate who shows the same contact as the signal is known to be the person; the model, which has
not seen the contact, says how probable that is.
"""

from dataclasses import asdict, dataclass
from datetime import date

import polars as pl

from matching.figures import intervals_of
from matching.resampling import PRECISIONS, RESAMPLES, measure
from warehouse.database import Warehouse
from warehouse.errors import InsufficientDataError

_OF_RANKS = ("average_precision", *(f"recall_at_precision_{p * 100:.0f}" for p in PRECISIONS))
_OF_PROBABILITIES = ("calibration_ratio", "calibration_error")


@dataclass(frozen=True)
class HeldOutFigures:
    """How the best candidates of held-out signals did (:func:`matching.resampling.measure`).

    Attributes
    ----------
    group : str
        Which signals: all_signals, or an advertiser_id.
    signals, known, compared, same : int
        How many there are; those whose contact some user shows; those whose best candidate shows a
        contact of the same kind; and those whose best candidate shows the same contact.
    average_precision : float or None
        Of the best candidates towards the same contact, over all that are known.
    recall_at_precision_90, recall_at_precision_95, recall_at_precision_99 : float or None
        The largest part of the known at any cut whose precision is at least that.
    calibration_ratio, calibration_error : float or None
        Of the probability that the contact is the same, over the compared: predicted over observed,
        and the expected calibration error.
    intervals : dict
        For each of the figures from average_precision on, the ends of its 95% confidence interval;
        None where there is none.
    """

    group: str
    signals: int
    known: int
    compared: int
    same: int
    average_precision: float | None
    recall_at_precision_90: float | None
    recall_at_precision_95: float | None
    recall_at_precision_99: float | None
    calibration_ratio: float | None
    calibration_error: float | None
    intervals: dict[str, tuple[float, float] | None]


@dataclass(frozen=True)
class HeldOutEvaluation:
    """Figures over the signals that the model in use was trained on, by trees without their person.

    Attributes
    ----------
    model_version : str
        The model that matched the newest log day.
    first_day, last_day : date
        The log days that it was trained on.
    log_loss : float
        Of what is seen of a held-out signal.
    outsiders : float
        Estimated share of signals with an e-mail that are of no user.
    all_signals : HeldOutFigures
        All of the signals.
    by_advertiser : tuple of HeldOutFigures
        The same by advertiser_id.
    """

    model_version: str
    first_day: date
    last_day: date
    log_loss: float
    outsiders: float
    all_signals: HeldOutFigures
    by_advertiser: tuple[HeldOutFigures, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the figures as plain values, for JSON."""
        return asdict(self)


def evaluate_held_out(warehouse: Warehouse) -> HeldOutEvaluation:
    """Compare the model in use with the contacts of signals that were held out.

    Parameters
    ----------
    warehouse : Warehouse
        A warehouse in which a model was trained.

    Raises
    ------
    InsufficientDataError
        If no model has been trained.
    """
    model = warehouse.query("matching/evaluate_model")
    if model.is_empty():
        raise InsufficientDataError(
            f"{warehouse.path}: no model has been trained, so nothing was held out to judge by. "
            "Run more days, or give --truth FILE."
        )
    facts = model.row(0, named=True)
    version = str(facts["model_version"])
    held_out = warehouse.query("matching/held_out_signals", model_version=version)
    if held_out.is_empty():
        raise InsufficientDataError(f"model {version}: no signal was held out. Give --truth FILE.")
    advertisers = held_out["advertiser_id"].unique().sort().to_list()
    return HeldOutEvaluation(
        model_version=version,
        first_day=facts["first_day"],
        last_day=facts["last_day"],
        log_loss=facts["log_loss"],
        outsiders=facts["outsiders"],
        all_signals=held_out_figures("all_signals", held_out),
        by_advertiser=tuple(
            held_out_figures(name, held_out.filter(pl.col("advertiser_id") == name))
            for name in advertisers
        ),
    )


def held_out_figures(
    name: str, held_out: pl.DataFrame, *, resamples: int = RESAMPLES
) -> HeldOutFigures:
    """Return the figures of held-out signals.

    Parameters
    ----------
    name : str
        Which signals.
    held_out : DataFrame
        match_probability, expected, same and known, as in the table held_out_signals.
    resamples : int
        How many are drawn for the intervals.
    """
    ranked = pl.col("match_probability") > 0
    signals = held_out.select(
        "expected",
        probability=pl.when(ranked).then("match_probability"),
        positive="known",
        correct="same",
        declared=pl.lit(value=False),
    )
    compared = signals.filter(pl.col("expected") > 0)
    of_ranks = measure(signals, resamples=resamples)
    of_probabilities = measure(compared, resamples=resamples)
    measured = {name: of_ranks[name] for name in _OF_RANKS}
    measured |= {name: of_probabilities[name] for name in _OF_PROBABILITIES}
    return HeldOutFigures(
        group=name,
        signals=len(held_out),
        known=int(held_out["known"].sum()),
        compared=len(compared),
        same=int(held_out["same"].sum()),
        **{figure: told.value for figure, told in measured.items()},
        intervals=intervals_of(measured),
    )
