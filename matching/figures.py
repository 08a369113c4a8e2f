"""Figures of groups of signals, as sql/matching/evaluate.sql lists them."""

from dataclasses import dataclass

import polars as pl

from matching.resampling import Interval, measure


@dataclass(frozen=True)
class MethodFigures:
    """How one method did.

    Attributes
    ----------
    method : str
        The identifier that was followed.
    matched : int
        Signals that it gave a user.
    correct : int
        Of those, signals given the right user.
    precision : float
        correct / matched.
    """

    method: str
    matched: int
    correct: int
    precision: float


@dataclass(frozen=True)
class GroupFigures:
    """How the best candidates of a group of signals did (:func:`matching.resampling.measure`).

    Attributes
    ----------
    group : str
        Which signals.
    signals, of_users : int
        How many there are, and those that belong to a user of the platform.
    candidates, declared, correct : int
        Signals with a best candidate, with one who is declared, and of these with the right one.
    precision, recall, f1 : float or None
        Of the declared: correct / declared, correct / of_users and their harmonic mean.
    average_precision : float or None
        Of the best candidates by their probability, over all signals of users.
    recall_at_precision_90, recall_at_precision_95, recall_at_precision_99 : float or None
        The largest recall of the best candidates at any cut whose precision is at least that.
    calibration_ratio, calibration_error : float or None
        Of the best candidates: predicted over observed, and the expected calibration error.
    declared_calibration_ratio, declared_calibration_error : float or None
        The same of the declared.
    intervals : dict
        For each of the figures from precision on, the ends of its 95% confidence interval; None
        where there is none.
    """

    group: str
    signals: int
    of_users: int
    candidates: int
    declared: int
    correct: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    recall_at_precision_90: float | None
    recall_at_precision_95: float | None
    recall_at_precision_99: float | None
    calibration_ratio: float | None
    calibration_error: float | None
    declared_calibration_ratio: float | None
    declared_calibration_error: float | None
    intervals: dict[str, tuple[float, float] | None]


@dataclass(frozen=True)
class AttributeFigures:
    """How signals that show an attribute did, or signals that do not.

    Attributes
    ----------
    attribute : str
        One of ``ATTRIBUTES``.
    present : bool
        Whether the signals show it.
    signals, of_users, declared : int
        As in :class:`GroupFigures`.
    declared_share : float
        declared / signals.
    recall : float
        Signals declared to be of the right user / of_users; 0 where there are none.
    """

    attribute: str
    present: bool
    signals: int
    of_users: int
    declared: int
    declared_share: float
    recall: float


@dataclass(frozen=True)
class OutsiderFigures:
    """Signals of nobody on the platform.

    Attributes
    ----------
    share : float
        Their true share of all signals.
    judged : int
        Signals that no identifier gave a user and a model compared with users.
    share_of_judged : float or None
        Their true share of these.
    implied_share : float or None
        The same by the model: the mean, over the judged, of 1 less the probabilities of the
        candidates that were kept. Users whom blocking or the floor left out make it larger.
    estimated_share : float or None
        As estimated when the model in use was trained, of signals with an e-mail; None without one.
    """

    share: float
    judged: int
    share_of_judged: float | None
    implied_share: float | None
    estimated_share: float | None


def by_method(matches: pl.DataFrame) -> tuple[MethodFigures, ...]:
    """Return the figures of the matches of each method."""
    counts = matches.group_by("method").agg(pl.len().alias("matched"), pl.col("correct").sum())
    return tuple(
        MethodFigures(method, matched, correct, share_of(correct, matched))
        for method, matched, correct in counts.sort("method").iter_rows()
    )


def by_key(signals: pl.DataFrame, key: pl.Expr) -> tuple[GroupFigures, ...]:
    """Return the figures of the signals of each value of a key."""
    keyed = signals.with_columns(key.alias("group"))
    names = keyed["group"].unique().sort().to_list()
    return tuple(group_figures(name, keyed.filter(pl.col("group") == name)) for name in names)


def group_figures(name: str, signals: pl.DataFrame) -> GroupFigures:
    """Return the figures of a group of signals."""
    measured = measure(
        signals.select(
            "correct",
            "declared",
            positive="of_user",
            probability="match_probability",
            expected="match_probability",
        )
    )
    return GroupFigures(
        group=name,
        signals=len(signals),
        of_users=int(signals["of_user"].sum()),
        candidates=int(signals["match_probability"].count()),
        declared=int(signals["declared"].sum()),
        correct=len(signals.filter("declared", "correct")),
        **{figure: told.value for figure, told in measured.items()},
        intervals=intervals_of(measured),
    )


def attribute_figures(signals: pl.DataFrame, name: str, *, present: bool) -> AttributeFigures:
    """Return the figures of the signals that show an attribute, or that do not."""
    signals = signals.filter(pl.col(f"has_{name}") == present)
    of_users, declared = int(signals["of_user"].sum()), int(signals["declared"].sum())
    return AttributeFigures(
        attribute=name,
        present=present,
        signals=len(signals),
        of_users=of_users,
        declared=declared,
        declared_share=share_of(declared, len(signals)),
        recall=share_of(len(signals.filter("declared", "correct")), of_users),
    )


def outsider_figures(signals: pl.DataFrame, estimated_share: float | None) -> OutsiderFigures:
    """Return the figures of the signals of nobody."""
    judged = signals.filter("judged")
    of_user = judged["of_user"].cast(pl.Float64).to_numpy()
    kept = judged["kept_probability"].to_numpy()
    return OutsiderFigures(
        share=1 - share_of(int(signals["of_user"].sum()), len(signals)),
        judged=len(judged),
        share_of_judged=float(1 - of_user.mean()) if len(judged) else None,
        implied_share=float(1 - kept.mean()) if len(judged) else None,
        estimated_share=estimated_share,
    )


def intervals_of(measured: dict[str, Interval]) -> dict[str, tuple[float, float] | None]:
    """Return the ends of the intervals, None where there is none."""
    return {
        name: None if told.low is None or told.high is None else (told.low, told.high)
        for name, told in measured.items()
    }


def share_of(part: int, whole: int) -> float:
    """Return part / whole, 0 where there is nothing."""
    return part / whole if whole else 0.0
