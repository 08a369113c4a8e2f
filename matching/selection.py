"""Candidates of one signal compete, with nobody as one of the outcomes; the best may be declared.

A candidate's log-odds are those of this user against nobody. The odds of all candidates and of
nobody, who has 1, share one unit of probability, so that they never sum to more.
"""

from typing import Final

import numpy as np
import polars as pl

from matching.models import PairModel
from matching.pair_model import Choices
from warehouse.config import DeclareRule, ModelConfig

_THRESHOLDS: Final = {
    "advertiser_id": pl.String,
    "rule": pl.String,
    "target": pl.Float64,
    "threshold": pl.Float64,
    "held_out": pl.Int64,
    "expected_precision": pl.Float64,
}
_FEW: Final = 100
"""Held-out signals of an advertiser below which those of all advertisers decide."""


def compete(pairs: pl.DataFrame, model: PairModel) -> pl.DataFrame:
    """Return the pairs with match_probability, in which the candidates of a signal share at most 1.

    A contact that both sides show and that differs speaks against a pair: people use a second
    address in a known share of cases only. The same contact tells nothing here: identifiers did not
    follow it, since several users have it or a unique identifier objects.

    Parameters
    ----------
    pairs : DataFrame
        Pairs as :func:`matching.comparisons.compare_pairs` returns them, ordered by signal_id.
    model : PairModel
        The model.
    """
    if pairs.is_empty():
        return pairs.with_columns(match_probability=pl.lit(0.0))
    choices = Choices.of(pairs, model.facts.same_contact).without_names()
    return pairs.with_columns(match_probability=choices.posteriors(model.scores(pairs)))


def thresholds(held_out: pl.DataFrame, advertisers: list[str], config: ModelConfig) -> pl.DataFrame:
    """Return from which probability on the best candidates of each advertiser are declared.

    For a target precision it is the least probability at which the mean probability of the held-out
    signals at or above it is the target; 1.01, which nothing reaches, where none is.

    Parameters
    ----------
    held_out : DataFrame
        advertiser_id and match_probability of signals that the model was not trained on.
    advertisers : list of str
        Whose thresholds are wanted.
    config : ModelConfig
        The rules.

    Returns
    -------
    DataFrame
        advertiser_id, rule (probability or precision), target, threshold, held_out (how many
        signals it rests on) and expected_precision (their mean probability at the threshold or
        above, null where there is none), in the order of the advertisers.
    """
    rows = []
    for advertiser in advertisers:
        rule = config.advertisers.get(advertiser, config.declare)
        own = held_out.filter(pl.col("advertiser_id") == advertiser)
        best = (own if len(own) >= _FEW else held_out)["match_probability"]
        rows.append((advertiser, *_threshold(np.sort(best.to_numpy())[::-1], rule)))
    return pl.DataFrame(rows, schema=_THRESHOLDS, orient="row")


def select(scored: pl.DataFrame, limits: pl.DataFrame, config: ModelConfig) -> pl.DataFrame:
    """Return the best candidates of each signal, with their rank and whether they are declared.

    Equal probabilities are ranked by user_id.

    Parameters
    ----------
    scored : DataFrame
        From :func:`compete`.
    limits : DataFrame
        From :func:`thresholds`.
    config : ModelConfig
        How many candidates are kept, and the floor.
    """
    ranked = scored.sort(
        "signal_id", "match_probability", "user_id", descending=[False, True, False]
    ).with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("signal_id"))
    kept = ranked.filter(
        (pl.col("rank") <= config.keep) & (pl.col("match_probability") >= config.floor)
    ).join(limits.select("advertiser_id", "threshold"), on="advertiser_id", how="left")
    declared = (pl.col("rank") == 1) & (pl.col("match_probability") >= pl.col("threshold"))
    return kept.select(
        "day", "signal_id", "user_id", "match_probability", "rank", declared.alias("declared")
    ).sort("signal_id", "rank")


def _threshold(
    descending: "np.ndarray[tuple[int], np.dtype[np.float64]]", rule: DeclareRule
) -> tuple[str, float, float, int, float | None]:
    means = np.cumsum(descending) / np.arange(1, len(descending) + 1)
    if rule.precision is None:
        name, target = "probability", float(rule.probability or 0.0)
        count, threshold = int((descending >= target).sum()), target
    else:
        name, target = "precision", rule.precision
        last = np.append(np.diff(descending) != 0, True)[: len(descending)]
        reached = np.flatnonzero((means >= target) & last)  # equal ones are declared together
        count = int(reached[-1]) + 1 if len(reached) else 0
        threshold = float(descending[count - 1]) if count else 1.01
    expected = float(means[count - 1]) if count else None
    return name, target, threshold, len(descending), expected
