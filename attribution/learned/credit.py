"""Credit under fitted models: the paths at work as arrays, shares as whole weights.

Conversions at work are credited by the model of the log day that is attributed, whatever their own
day. A model that was fitted just now also takes up other conversions of the log days that it was
fitted on: those without credit under it, which had to wait for a first model or were attributed
while it was switched off, and those whose credit is of a model that it outgrows.
"""

import logging
from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from attribution.credit import MICROS, credit_fitted, rank_touches
from attribution.eligibility import Rules
from attribution.history_frames import eligible_paths, find_segments
from attribution.learned.fitting import serving_models
from attribution.learned.models import LearnedModel, tells_segments
from attribution.learned.serving import Serving, outgrown_days
from attribution.paths import Floats, Integers
from attribution.work import take_stored
from warehouse.attribution_config import Model
from warehouse.database import Warehouse
from warehouse.runs import Run

_log = logging.getLogger("adscribe")


def credit_by_learned(run: Run, models: Sequence[Model], day: date, rules: Rules) -> int:
    """Credit the conversions at work under fitted models, and those that new models take up.

    Needs the temporary tables of :func:`attribution.credit.rank_touches`, and leaves
    work_conversions to be those that were taken up, if any.

    Parameters
    ----------
    run : Run
        The run whose warehouse and configuration are used.
    models : sequence of Model
        Those of the run that are fitted.
    day : date
        The log day that is attributed.
    rules : Rules
        What the paths were found under.

    Returns
    -------
    int
        Rows of credit.
    """
    warehouse, serving = run.warehouse, serving_models(run, models, day)
    rows = 0
    if serving:
        warehouse.execute("attribution/learned_touches")
    for model in models:
        found = serving.get(model)
        if found is not None:
            _weigh(warehouse, found)
        version = None if found is None else found.version
        rows += credit_fitted(warehouse, model, rules, run_id=run.run_id, model_version=version)
    for model, found in serving.items():
        if found.is_new:
            rows += _take_up(run, model, found, rules)
    return rows


def _take_up(run: Run, model: Model, new: Serving, rules: Rules) -> int:
    """Credit what else was told on the days of a new model that is to be its; return rows."""
    warehouse = run.warehouse
    warehouse.execute("attribution/delete_stale_conversions")
    taken = warehouse.execute(
        "attribution/outgrown_conversions",
        model=str(model),
        first_day=new.first_day,
        last_day=new.last_day,
        most_days=outgrown_days(new.days),
        rules_version=rules.version,
    )
    if not taken:
        return 0
    _log.info(
        "%s: %s also credits %s conversions of its log days", model, new.version, f"{taken:,}"
    )
    take_stored(warehouse, rules)
    rank_touches(warehouse, rules)
    warehouse.execute("attribution/learned_touches")
    _weigh(warehouse, new)
    return credit_fitted(warehouse, model, rules, run_id=run.run_id, model_version=new.version)


def _weigh(warehouse: Warehouse, serving: Serving) -> None:
    """Make path_weights of the shares that a model gives."""
    touches = warehouse.query("attribution/learned_touch_rows")
    quarter = np.zeros(0, dtype=np.int64)
    if tells_segments(serving.model):
        find_segments(warehouse, serving.first_day, serving.last_day)
        quarter = warehouse.query("attribution/learned_path_quarters")["quarter"].to_numpy()
    with warehouse.frame("shares", whole_weights(serving.model, touches, quarter)):
        warehouse.execute("attribution/learned_weights")


def whole_weights(model: LearnedModel, touches: pl.DataFrame, quarter: Integers) -> pl.DataFrame:
    """Return the credit that a model gives the touches of paths, in millionths of each path.

    What rounding leaves goes to the largest remainders, of equal ones to the earlier touch.

    Parameters
    ----------
    model : LearnedModel
        A fitted model.
    touches : DataFrame
        Rows of sql/attribution/learned_touch_rows.sql.
    quarter : ndarray of int64, shape (paths,) or (0,)
        The quarter of each path's user; none where the model tells no segments apart.

    Returns
    -------
    DataFrame
        place, is_organic (true: the row of what no touch of the path earned, at the place of its
        first touch) and weight, above 0, which sums to 1,000,000 over a path.
    """
    schema = {"place": pl.Int64, "is_organic": pl.Boolean, "weight": pl.Int64}
    if touches.is_empty():
        return pl.DataFrame(schema=schema)
    paths = eligible_paths(touches, quarter)
    shares = model.credit(paths)
    weights, organic = _apportion(shares, paths.offsets)
    place = touches["place"].to_numpy()
    frame = pl.DataFrame(
        {
            "place": np.concatenate([place, place[paths.offsets[:-1]]]),
            "is_organic": np.repeat([False, True], [len(weights), len(organic)]),
            "weight": np.concatenate([weights, organic]),
        },
        schema=schema,
    )
    return frame.filter(pl.col("weight") > 0)


def _apportion(shares: Floats, offsets: Integers) -> tuple[Integers, Integers]:
    """Return whole millionths of each touch, and of what is left of each path."""
    lengths = np.diff(offsets)
    size = len(lengths)
    total = np.add.reduceat(shares, offsets[:-1])
    # rounding in the last digits may bring a sum above 1
    scale = 1 / np.maximum(total, 1.0)
    path = np.repeat(np.arange(size), lengths)
    rows = np.arange(len(shares)) + path  # what is left comes after the touches of its path
    exact = np.empty(len(shares) + size)
    exact[rows] = shares * scale[path]
    last = offsets[1:] + np.arange(size)
    exact[last] = np.maximum(1 - total * scale, 0.0)
    exact *= MICROS
    whole = np.floor(exact).astype(np.int64)
    begin = np.append(0, last[:-1] + 1)
    missing = MICROS - np.add.reduceat(whole, begin)
    of = np.repeat(np.arange(size), lengths + 1)
    order = np.lexsort((np.arange(len(exact)), whole - exact, of))
    rank = np.empty(len(exact), dtype=np.int64)
    rank[order] = np.arange(len(exact)) - begin[of]
    whole += rank < missing[of]
    return whole[rows], whole[last]
