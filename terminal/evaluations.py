"""Figures of evaluations as tables; their JSON has the intervals of every group."""

from collections.abc import Mapping, Sequence

import polars as pl

from matching.blocking_evaluation import BlockingEvaluation
from matching.evaluation import Evaluation
from matching.figures import GroupFigures
from matching.held_out_evaluation import HeldOutEvaluation, HeldOutFigures
from terminal.console import out
from terminal.tables import show_frame
from terminal.values import plain

_GROUP_COLUMNS = (
    "signals", "declared", "precision", "recall", "calibration_ratio", "calibration_error",
)  # fmt: skip
_HELD_OUT_COLUMNS = (
    "signals", "known", "average_precision", "calibration_ratio", "calibration_error",
)  # fmt: skip


def show_evaluation(evaluation: Evaluation) -> None:
    """Print the figures of an evaluation against the truth."""
    plain_figures = {
        name: value
        for name, value in evaluation.to_dict().items()
        if isinstance(value, int | float | None)
    }
    _show_figures(plain_figures, title="matches against the truth")
    _show_rows([vars(figure) for figure in evaluation.by_method], title="by method")
    groups = (evaluation.all_signals, evaluation.probabilistic)
    _show_rows(_beside(groups), title="best candidates (95% confidence intervals)")
    for name, several in (
        ("advertiser", evaluation.by_advertiser),
        ("shared address", evaluation.by_shared_address),
    ):
        rows = [_picked(name, figures, _GROUP_COLUMNS) for figures in several]
        _show_rows(rows, title=f"probabilistic, by {name}")
    _show_rows([vars(figure) for figure in evaluation.by_attribute], title="by attribute")
    _show_figures(vars(evaluation.outsiders), title="signals of nobody on the platform")


def show_held_out(evaluation: HeldOutEvaluation) -> None:
    """Print the figures of a model against contacts that were held out."""
    facts = ("model_version", "first_day", "last_day", "log_loss", "outsiders")
    title = "the model against e-mails and phones held out"
    _show_figures({name: getattr(evaluation, name) for name in facts}, title=title)
    title = "best candidates (95% confidence intervals)"
    _show_rows(_beside((evaluation.all_signals,)), title=title)
    rows = [
        _picked("advertiser", figures, _HELD_OUT_COLUMNS) for figures in evaluation.by_advertiser
    ]
    _show_rows(rows, title="by advertiser")


def show_blocking(evaluation: BlockingEvaluation) -> None:
    """Print the figures of blocking."""
    figures = {name: value for name, value in vars(evaluation).items() if name != "by_kind"}
    _show_figures(figures, title="candidates of signals without an identifier")
    _show_rows([vars(figure) for figure in evaluation.by_kind], title="by kind of key")


def _show_figures(figures: Mapping[str, object], *, title: str) -> None:
    rows = [{"figure": _spaced(name), "value": plain(value)} for name, value in figures.items()]
    _show_rows(rows, title=title)


def _show_rows(rows: Sequence[Mapping[str, object]], *, title: str) -> None:
    if rows:
        show_frame(pl.DataFrame(rows), title=title, whole="--json", console=out())


def _beside(groups: Sequence[GroupFigures | HeldOutFigures]) -> list[dict[str, object]]:
    """Return a row for each figure, with a column for each group."""
    names = [name for name in vars(groups[0]) if name not in ("group", "intervals")]
    return [
        {"figure": _spaced(name), **{told.group: _with_interval(told, name) for told in groups}}
        for name in names
    ]


def _with_interval(figures: GroupFigures | HeldOutFigures, name: str) -> str:
    value, ends = plain(getattr(figures, name)), figures.intervals.get(name)
    return value if ends is None else f"{value} ({plain(ends[0])} to {plain(ends[1])})"


def _picked(
    key: str, figures: GroupFigures | HeldOutFigures, names: Sequence[str]
) -> dict[str, object]:
    return {key: figures.group, **{name: getattr(figures, name) for name in names}}


def _spaced(name: str) -> str:
    return name.replace("_", " ")
