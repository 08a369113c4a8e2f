"""Paths → credit: each model gives weights, one statement turns them into whole millionths.

Everything is integer arithmetic: a candidate's part of a conversion is his match probability in
millionths, a model divides it by whole weights, and what rounding leaves goes to the largest
remainders (Hamilton's method of apportionment), so that sums are exact and nothing hangs on the
order of rows.
"""

from typing import Final

from attribution.calibrated_touch import recency_bins
from attribution.conversions import HOUR_US
from attribution.eligibility import Rules
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
    calibrated: bool = False,
) -> int:
    """Credit the conversions at work under some models, and write down what that changed.

    Parameters
    ----------
    warehouse : Warehouse
        With the temporary tables of :func:`rank_touches`.
    models : tuple of Model
        The wanted models of one group.
    rules : Rules
        What the paths were found under.
    run_id : str
        For the restatements.
    calibrated : bool
        Which group: calibrated_last_touch, or all others. Credit of the same conversions under
        other models of the group is taken away.

    Returns
    -------
    int
        Rows of credit.
    """
    warehouse.execute("attribution/old_credits", calibrated=calibrated)
    warehouse.execute("attribution/delete_credits")
    if any(model in _BY_PLACE for model in models):
        warehouse.execute("attribution/placed_touches")
    rows, version = 0, rules.version
    for model in models:
        with warehouse.frame("recency_bins", recency_bins()):
            warehouse.execute(f"attribution/{model}", **_parameters(model, rules))
        rows += warehouse.execute(
            "attribution/add_credits", model=str(model), rules_version=version
        )
    warehouse.execute("attribution/insert_restatements", run_id=run_id, rules_version=version)
    return rows


def _parameters(model: Model, rules: Rules) -> dict[str, int]:
    if model is Model.TIME_DECAY:
        return {"half_life_us": rules.half_life_hours * HOUR_US}
    if model is Model.POSITION_BASED:
        return {
            "first_micros": round(rules.first_share * MICROS),
            "last_micros": round(rules.last_share * MICROS),
        }
    return {}
