"""The pair model: who of a signal's candidates sent it, if any of them.

LightGBM on the features of pairs gives each candidate a log-odds against nobody; the candidates and
nobody then share one unit of probability: a conditional logit (McFadden 1974) whose utilities are
boosted trees. It learns from signals that show an e-mail or a phone. A candidate who showed the
same one is known to be the person. But people have second addresses: of candidates who are the
person and show a contact, only a share c shows the same. So what is seen has the probability

    sum of c * p over the candidates with the same contact, or
    1 - sum of c * p over all candidates where nobody showed the same,

and its likelihood is maximised (positive and unlabelled learning; Elkan and Noto 2008). Signals of
people who are no users teach as well: all of their candidates go unlabelled, as they should.

References
----------
McFadden, "Conditional logit analysis of qualitative choice behavior", 1974.
Elkan and Noto, "Learning classifiers from only positive and unlabeled data", KDD 2008.
Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.forest import Forest

if TYPE_CHECKING:
    import lightgbm

Floats = npt.NDArray[np.float64]

ROUNDS: Final = 300
_PARAMETERS: Final = {
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # histograms of several threads are summed in another order
}
_LEAST_CURVATURE: Final = 1e-6
_LEAST_SHARE_OF_CURVATURE: Final = 0.1


@dataclass(frozen=True)
class Choices:
    """Candidates of signals, and what their contacts say.

    Attributes
    ----------
    signals : ndarray of int64, shape (n,)
        Which signal each pair belongs to: 0, 0, 0, 1, 1, 2, ...
    same : ndarray of float64, shape (n,)
        1 where both sides show the same contact, else 0.
    certainty : ndarray of float64, shape (n,)
        c: how likely a pair of one person shows the same contact; 0 where one side shows none.
    """

    signals: npt.NDArray[np.int64]
    same: Floats
    certainty: Floats

    @classmethod
    def of(cls, pairs: pl.DataFrame, same_contact: dict[str, float]) -> "Choices":
        """Read the choices of pairs, ordered by signal_id.

        Parameters
        ----------
        pairs : DataFrame
            signal_id, and for each kind of contact ``KIND_same``: 1, 0, or null where one side
            shows none.
        same_contact : dict of str to float
            c of each kind.
        """
        differs, same = np.ones(len(pairs)), np.zeros(len(pairs))
        for kind, share in same_contact.items():
            told = pairs[f"{kind}_same"]
            differs = np.where(told.is_not_null().to_numpy(), differs * (1 - share), differs)
            same = np.maximum(same, told.fill_null(0).cast(pl.Float64).to_numpy())
        return cls(pairs["signal_id"].rle_id().cast(pl.Int64).to_numpy(), same, 1 - differs)

    def sums(self, values: Floats) -> Floats:
        """Return the sum over each pair's signal, shape (n,)."""
        totals: Floats = np.bincount(self.signals, weights=values).astype(np.float64)
        result: Floats = totals[self.signals]
        return result

    def probabilities(self, scores: Floats) -> Floats:
        """Return the probability of each candidate before his contact is looked at."""
        odds = _odds(scores)
        result: Floats = odds / (1 + self.sums(odds))
        return result

    def posteriors(self, scores: Floats) -> Floats:
        """Return the probability of each candidate once the contacts have been seen."""
        odds = _odds(scores)
        named = odds * self.same * self.certainty
        total = self.sums(named)
        unnamed = odds * (1 - self.certainty)
        result: Floats = np.where(
            total > 0, named / np.maximum(total, 1e-300), unnamed / (1 + self.sums(unnamed))
        )
        return result

    def losses(self, scores: Floats) -> Floats:
        """Return the negative log-likelihood of what is seen of each signal, shape (signals,)."""
        odds = _odds(scores)
        whole = 1 + np.bincount(self.signals, weights=odds)
        named = np.bincount(self.signals, weights=odds * self.same * self.certainty)
        unnamed = 1 + np.bincount(self.signals, weights=odds * (1 - self.certainty))
        seen = np.bincount(self.signals, weights=self.same) > 0
        result: Floats = np.log(whole) - np.log(np.where(seen, np.maximum(named, 1e-300), unnamed))
        return result

    def without_names(self) -> "Choices":
        """Return the choices as if nobody who shows the same contact showed any."""
        certainty = np.where(self.same > 0, 0.0, self.certainty)
        return Choices(self.signals, np.zeros_like(self.same), certainty)

    def subset(self, chosen: npt.NDArray[np.bool_]) -> "Choices":
        """Return the chosen pairs; whole signals at a time."""
        _, signals = np.unique(self.signals[chosen], return_inverse=True)
        return Choices(signals.astype(np.int64), self.same[chosen], self.certainty[chosen])


@dataclass(frozen=True)
class Fitted:
    """Trees, and the log-odds to which they add."""

    booster: "lightgbm.Booster"
    start: float

    def scores(self, pairs: pl.DataFrame, features: Sequence[str]) -> Floats:
        """Return log-odds against nobody."""
        columns = [pairs[name].cast(pl.Float32).fill_null(np.nan).to_numpy() for name in features]
        return self.start + self._forest.scores(columns)

    @cached_property
    def _forest(self) -> Forest:
        return Forest.of(self.booster)


def fit_trees(
    pairs: pl.DataFrame,
    choices: Choices,
    *,
    features: Sequence[str],
    directions: Mapping[str, int],
    seed: int,
    rounds: int = ROUNDS,
) -> Fitted:
    """Fit the trees; the same arguments give the same trees, whatever the number of threads.

    Parameters
    ----------
    pairs : DataFrame
        The features, n rows.
    choices : Choices
        Their n choices.
    features : sequence of str
        Which columns are the features.
    directions : mapping of str to int
        1 for features with which a match gets likelier, -1 for those with which it gets less so,
        all else equal (monotone constraints).
    seed : int
        The seed.
    rounds : int
        How many trees.
    """
    import lightgbm  # slow to import, and few commands need it

    share = float(np.clip(choices.same.mean(), 1e-4, 0.5))
    start = float(np.log(share))
    data = lightgbm.Dataset(
        matrix(pairs, features),
        choices.same,
        feature_name=list(features),
        init_score=np.full(len(pairs), start),
        params={"verbosity": -1},
        free_raw_data=True,
    )
    parameters = {
        **_PARAMETERS,
        "seed": seed,
        "monotone_constraints": [directions.get(name, 0) for name in features],
        "objective": _objective(choices),
    }
    return Fitted(lightgbm.train(parameters, data, rounds), start)


def calibrate(scores: Floats, choices: Choices) -> tuple[float, float]:
    """Return slope and intercept by which log-odds fit what is seen best.

    Newton's method on :meth:`Choices.losses`, from the identity, with a weak pull towards it.
    """
    weights = np.array([1.0, 0.0])
    pull = np.diag([1.0, 0.5])
    design = np.column_stack([scores, np.ones_like(scores)])
    for _ in range(50):
        gradient, curvature = _derivatives(design @ weights, choices)
        slope = design.T @ gradient + pull @ (weights - np.array([1.0, 0.0]))
        step = np.linalg.solve(design.T @ (design * curvature[:, None]) + pull, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-6:
            break
    return float(weights[0]), float(weights[1])


def matrix(pairs: pl.DataFrame, features: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return the features as LightGBM reads them, shape (n, features)."""
    result: npt.NDArray[np.float32] = pairs.select(
        pl.col(name).cast(pl.Float32) for name in features
    ).to_numpy()
    return result


def _objective(
    choices: Choices,
) -> "Callable[[Floats, lightgbm.Dataset], tuple[Floats, Floats]]":
    def derivatives(scores: Floats, _data: "lightgbm.Dataset") -> tuple[Floats, Floats]:
        return _derivatives(scores, choices)

    return derivatives


def _derivatives(scores: Floats, choices: Choices) -> tuple[Floats, Floats]:
    """Return gradient and curvature of the losses by score.

    The curvature is that of the likelihood where a contact names the person, and where none does a
    bound from below, since the likelihood is not concave there.
    """
    before, after = choices.probabilities(scores), choices.posteriors(scores)
    full = before * (1 - before)
    named = choices.sums(choices.same) > 0
    rest = np.maximum(full - after * (1 - after), _LEAST_SHARE_OF_CURVATURE * full)
    return before - after, np.maximum(np.where(named, full, rest), _LEAST_CURVATURE)


def _odds(scores: Floats) -> Floats:
    result: Floats = np.exp(np.clip(scores, -30, 15))
    return result
