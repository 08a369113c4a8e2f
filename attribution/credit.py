"""Paths → credit: each model gives weights, one statement turns them into whole millionths.

Everything is integer arithmetic: a candidate's part of a conversion is his match probability in
millionths, a model divides it by whole weights, and what rounding leaves goes to the largest
remainders (Hamilton's method of apportionment), so that sums are exact and nothing hangs on the
order of rows.
"""

from typing import Final

from attribution.conversions import HOUR_US
from attribution.eligibility import Rules
from attribution.holdouts.calibrated_touch import recency_bins
from warehouse.attribution_config import Model
from warehouse.database import Warehouse

MICROS: Final = 1_000_000
_BY_PLACE: Final = (Model.FIRST_TOUCH, Model.POSITION_BASED)


def rank_touches(warehouse: Warehouse, rules: Rules) -> None:
    """Make ranked_touches and paths, of the conversions at work: what the models divide."""
    first = rules.named_click_first
    warehouse.execute("attribution/ranked_touches", named_click_first=first)
    warehouse.execute("attribution/paths", named_click_first=first)


def credit_conversions(
    warehouse: Warehouse,
    models: tuple[Model, ...],
    rules: Rules,
    *,
    run_id: str,
    beside: tuple[Model, ...] | None = None,
) -> int:
    """Credit the conversions at work under models that are rules, and write what that changed.

    Parameters
    ----------
    warehouse : Warehouse
        With the temporary tables of :func:`rank_touches`.
    models : tuple of Model
        Which ones.
    rules : Rules
        What the paths were found under.
    run_id : str
        For the restatements.
    beside : tuple of Model, optional
        Models that are credited by themselves: credit of the same conversions under any but these
        is taken away. When omitted, only credit under `models` is.

    Returns
    -------
    int
        Rows of credit.
    """
    _take_away(warehouse, models if beside is None else beside, others=beside is not None)
    if any(model in _BY_PLACE for model in models):
        warehouse.execute("attribution/placed_touches")
    rows, version = 0, rules.version
    for model in models:
        with warehouse.frame("recency_bins", recency_bins()):
            warehouse.execute(f"attribution/{model}", **_parameters(model, rules))
        rows += warehouse.execute(
            "attribution/add_credits",
            model=str(model),
            rules_version=version,
            model_version=None,
        )
    warehouse.execute("attribution/insert_restatements", run_id=run_id, rules_version=version)
    return rows


def credit_fitted(
    warehouse: Warehouse, model: Model, rules: Rules, *, run_id: str, model_version: str | None
) -> int:
    """Credit the conversions at work under a fitted model, and write down what that changed.

    Parameters
    ----------
    warehouse : Warehouse
        With the temporary tables of :func:`rank_touches`, and path_weights of the model.
    model : Model
        Which one.
    rules : Rules
        What the paths were found under.
    run_id : str
        For the restatements.
    model_version : str or None
        The version that serves. None: there is none yet, and credit is only taken away.

    Returns
    -------
    int
        Rows of credit.
    """
    _take_away(warehouse, (model,), others=False)
    rows = 0
    if model_version is not None:
        rows = warehouse.execute(
            "attribution/add_credits",
            model=str(model),
            rules_version=rules.version,
            model_version=model_version,
        )
    warehouse.execute("attribution/insert_restatements", run_id=run_id, rules_version=rules.version)
    return rows


def _take_away(warehouse: Warehouse, models: tuple[Model, ...], *, others: bool) -> None:
    names = [str(model) for model in models]
    warehouse.execute("attribution/old_credits", models=names, others=others)
    warehouse.execute("attribution/delete_credits")


def _parameters(model: Model, rules: Rules) -> dict[str, int]:
    if model is Model.TIME_DECAY:
        return {"half_life_us": rules.half_life_hours * HOUR_US}
    if model is Model.POSITION_BASED:
        return {
            "first_micros": round(rules.first_share * MICROS),
            "last_micros": round(rules.last_share * MICROS),
        }
    return {}
