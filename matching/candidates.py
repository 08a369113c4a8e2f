"""Who competes for a signal that no identifier gave a user, and why the model prefers one of them.

The candidates of the one signal are found and compared again, by the model that served its log day;
nothing is written. So the answer holds for the logs as they are now: where they, the model or the
configuration have changed since the signal was matched, it says so.
"""

from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
import polars as pl

from matching.blocking import WEIGHTS, find_candidates
from matching.comparisons import compare_pairs
from matching.models import PairModel, models_folder
from matching.pair_model import Choices
from matching.selection import compete
from warehouse.config import ModelConfig
from warehouse.database import Warehouse
from warehouse.errors import ConfigError

MOST_CANDIDATES: Final = 5
_SAME: Final = 1e-9
_FORGOTTEN: Final = "forgotten"


class Outcome(StrEnum):
    """What came of a signal that no identifier gave a user."""

    DECLARED = "declared"
    NOT_DECLARED = "not_declared"
    NO_CANDIDATE = "no_candidate"
    NO_MODEL = "no_model"
    BOT = "bot"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True)
class Candidacy:
    """Why a signal that no identifier gave a user was given one by a model, or was not.

    Attributes
    ----------
    outcome : Outcome
        declared, not_declared; no_candidate; no_model (none served its log day), bot (its user
        agent says so), forgotten (its user asked to be).
    model_version : str or None
        The model.
    threshold : dict or None
        rule, target, threshold, held_out and expected_precision of the row of match_thresholds;
        None where there is none.
    competing : int
        How many candidates there are.
    nobody : float or None
        The probability that it is none of them; None where the model cannot be read.
    candidates : list of dict
        The best, at most ``MOST_CANDIDATES``:

        - rank, user_id and match_probability; kept_probability and declared of the row of matches
          (None where it was not kept);
        - log_odds, of this user against nobody; alone, the probability if he were the only one;
        - contacts, for each kind that both sides show whether it is the same, and contact_log_odds,
          what those that differ add to the log-odds;
        - start and contributions: feature, value and contribution, the largest first; start and all
          contributions sum to log_odds;
        - shared: kind of token, times and days that the user showed it, hours_before the signal at
          the nearest (below 0: after it), users who show it, of_users in all; the rarest first.

        Where the model cannot be read, those that were kept, by kept_probability.
    tokens : list of dict
        What the signal shows: kind, users who show the same, of_users in all, and sought,
        whether candidates were looked for by it (False: nobody shows it, or too many do; None: its
        kind is only compared); the rarest first.
    changed : bool
        Whether the probabilities are no longer those that were kept.
    problem : str or None
        Why the model cannot be read.
    """

    outcome: Outcome
    model_version: str | None = None
    threshold: dict[str, object] | None = None
    competing: int = 0
    nobody: float | None = None
    candidates: list[dict[str, object]] = field(default_factory=list)
    tokens: list[dict[str, object]] = field(default_factory=list)
    changed: bool = False
    problem: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        return {**asdict(self), "outcome": str(self.outcome)}


def explain_candidates(
    warehouse: Warehouse, signal_id: str, day: date, config: ModelConfig
) -> Candidacy:
    """Tell who competes for a signal that no identifier gave a user.

    Parameters
    ----------
    warehouse : Warehouse
        The warehouse; read only is enough.
    signal_id : str
        A signal that is in it.
    day : date
        Its log day.
    config : ModelConfig
        The configuration that it was matched with.
    """
    told = warehouse.query("matching/explain_model", signal_id=signal_id).row(0, named=True)
    version = told.pop("model_version")
    if told.pop("is_bot"):
        return Candidacy(Outcome.BOT)
    if version is None:
        return Candidacy(Outcome.NO_MODEL)
    threshold = None if told["rule"] is None else told
    if version == _FORGOTTEN:
        return Candidacy(Outcome.FORGOTTEN, version)
    model, problem = None, None
    try:
        model = PairModel.load(models_folder(warehouse) / version)
    except ConfigError as error:
        problem = str(error)
    warehouse.execute("matching/explain_chosen_signal", signal_id=signal_id)
    find_candidates(warehouse, day, config if model is None else model.settings(config))
    pairs = compare_pairs(warehouse)
    kept = warehouse.query("matching/explain_kept_candidates", signal_id=signal_id)
    scored = kept.with_columns(match_probability="kept_probability")
    if model is not None:
        try:
            scored = _scored(pairs, model)
        except ConfigError as error:
            problem = str(error)
    ranked = _ranked(scored, kept)
    return Candidacy(
        outcome=_outcome(ranked),
        model_version=version,
        threshold=threshold,
        competing=len(pairs),
        nobody=None if problem else max(0.0, 1.0 - float(ranked["match_probability"].sum())),
        candidates=_described(ranked, warehouse.query("matching/explain_shared_tokens")),
        tokens=_tokens(warehouse),
        changed=_changed(ranked, kept),
        problem=problem,
    )


def _tokens(warehouse: Warehouse) -> list[dict[str, object]]:
    tokens = warehouse.query("matching/explain_tokens")
    seeks = pl.col("kind").is_in(list(WEIGHTS))
    return tokens.with_columns(sought=pl.when(seeks).then("sought")).to_dicts()


def _scored(pairs: pl.DataFrame, model: PairModel) -> pl.DataFrame:
    """Return what the model says of each pair, and why.

    Raises
    ------
    ConfigError
        If the model was trained on a feature that pairs do not have.
    """
    model.check(pairs.columns)
    if pairs.is_empty():
        return pl.DataFrame(schema={"user_id": pl.String, "match_probability": pl.Float64})
    features, kinds = model.facts.features, model.facts.same_contact
    scores = model.scores(pairs)
    certainty = Choices.of(pairs, kinds).certainty
    differing = np.log(np.maximum(1 - certainty, 1e-300))
    same = [pairs[f"{kind}_same"].cast(pl.Boolean).alias(kind) for kind in kinds]
    values = [pairs[name].cast(pl.Float64) for name in features]
    contributions = model.contributions(pairs)
    return compete(pairs, model).select(
        "user_id",
        "match_probability",
        log_odds=pl.lit(pl.Series(scores)),
        alone=pl.lit(pl.Series(1 / (1 + np.exp(-scores)))),
        contacts=pl.struct(same),
        contact_log_odds=pl.lit(pl.Series(differing)),
        start=pl.lit(contributions["start"]),
        values=pl.struct(values),
        added=pl.struct([contributions[name] for name in features]),
    )


def _ranked(scored: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """Return the candidates, the likeliest first, with what was kept of them."""
    stored = kept.select("user_id", "kept_probability", "declared")
    return (
        scored.drop("rank", "kept_probability", "declared", strict=False)
        .join(stored, on="user_id", how="left")
        .sort("match_probability", "user_id", descending=[True, False])
        .with_row_index("rank", offset=1)
    )


def _outcome(ranked: pl.DataFrame) -> Outcome:
    if ranked.is_empty():
        return Outcome.NO_CANDIDATE
    declared = ranked["declared"].fill_null(value=False).any()
    return Outcome.DECLARED if declared else Outcome.NOT_DECLARED


def _changed(ranked: pl.DataFrame, kept: pl.DataFrame) -> bool:
    """Return whether a candidate that was kept is gone or has another probability."""
    found = kept.join(ranked.select("user_id", "match_probability"), on="user_id", how="left")
    apart = (found["match_probability"] - found["kept_probability"]).abs()
    return bool((apart.is_null() | (apart > _SAME)).any())


def _described(ranked: pl.DataFrame, shared: pl.DataFrame) -> list[dict[str, object]]:
    """Return the best candidates as plain values."""
    described = []
    for row in ranked.head(MOST_CANDIDATES).iter_rows(named=True):
        values, added = row.pop("values", None), row.pop("added", None)
        row["contacts"] = {
            kind: same for kind, same in row.get("contacts", {}).items() if same is not None
        }
        row["contributions"] = [
            {"feature": name, "value": values[name], "contribution": added[name]}
            for name in sorted(added or (), key=lambda name: -abs(added[name]))
        ]
        own = shared.filter(pl.col("user_id") == row["user_id"]).drop("user_id")
        described.append({**row, "shared": own.to_dicts()})
    return described
