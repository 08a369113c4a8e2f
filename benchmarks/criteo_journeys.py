"""How well conversions of Criteo's journeys are told from their impressions, users held back.

Usage: python benchmarks/criteo_journeys.py [JOURNEYS] [--seed N]

The journeys are those of Criteo's attribution log (Diemert et al. 2017) in the selection of the
CausalMTA paper. Models learn on four fifths of the users, by a hash, and are judged on the others:

- logistic regression on the number of impressions of each campaign;
- trees on the journey: signs of intent of the counterfactual model at the last impression, the
  impressions of each campaign, and how they lie in time.

Costs and bids are no columns: in this log they hold the bidder's own forecast of the conversion.

What the comparison can say: how these models rank and calibrate on one split of the same journeys.
What it cannot say: who is better than the published ones, whose test split is not at hand; and
whose credit is right. A converted journey holds a single campaign, so credit by campaign is the
same under any rule. There are no clicks, and no conversion times, so that models of an intensity
over time cannot be fitted: a conversion a second after every last impression would be all that they
learn. And length leaks: a converted journey ends where it converted, others go on, so trees learn
how journeys were cut as much as why people buy.
"""

import argparse
import os
from pathlib import Path
from typing import Final

import lightgbm
import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from attribution.draws import hash_unit
from attribution.histories import Histories
from attribution.learned.exposure_features import CATEGORIES, INTENT, Rates, intent_features
from attribution.learned.exposure_moments import Moments, moments_of
from attribution.paths import KINDS, Floats, Integers

NAME: Final = "criteo_journeys_train.csv.gz"
SECOND_US: Final = 1_000_000
LOOKBACK_US: Final = 31 * 24 * 3600 * SECOND_US
TRAINED: Final = 0.8
PUBLISHED: Final = {
    "logistic regression": (0.837, 0.191),
    "additive hazard": (0.726, 0.286),
    "CausalMTA": (0.966, 0.052),
}
"""AUC and log loss in the CausalMTA paper, on its own test split."""
PARAMETERS: Final = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 50,
    "verbosity": -1, "deterministic": True, "force_row_wise": True, "num_threads": 1,
}  # fmt: skip


def main() -> None:
    """Print AUC and log loss of each model, beside the published ones."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    folder = Path(os.environ.get("ADSCRIBE_DATA", "../shared/data"))
    parser.add_argument("journeys", type=Path, nargs="?", default=folder / NAME)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    journeys = read(options.journeys)
    label = journeys["converted"].to_numpy().astype(np.float64)
    users = journeys["user"].to_numpy()
    learn = hash_unit(users, seed=options.seed) < TRAINED
    campaigns = campaign_counts(journeys)
    print(f"{len(journeys):,} journeys, {int(label.sum()):,} converted; "
          f"{int((~learn).sum()):,} judged")  # fmt: skip
    show(
        "share converted, for all alike",
        label[~learn],
        np.full((~learn).sum(), label[learn].mean()),
    )
    show("logistic regression on counts", label[~learn], by_counts(campaigns, label, learn))
    show("trees on the journey", label[~learn], by_trees(journeys, campaigns, label, learn))
    print("published, on another split that is not at hand:")
    for title, (auc, loss) in PUBLISHED.items():
        print(f"  {title:<32} AUC {auc:.3f}   log loss {loss:.3f}")
    print("A converted journey holds one campaign and ends where it converted: these figures tell")
    print("how journeys were selected and cut as much as why people buy, and nothing of credit.")


def read(path: Path) -> pl.DataFrame:
    """Return journey, user, converted, and lists of times (seconds) and campaigns."""
    lists = [
        pl.col(name).str.split(" ").list.eval(pl.element().cast(pl.Int64))
        for name in ("times", "campaigns")
    ]
    text = {"times": pl.String, "campaigns": pl.String}
    table = pl.read_csv(path, schema_overrides=text)
    return table.select("user", "converted", *lists, journey=pl.int_range(pl.len(), dtype=pl.Int64))


def campaign_counts(journeys: pl.DataFrame) -> Floats:
    """Return the impressions of each campaign, shape (journeys, campaigns)."""
    seen = journeys.select("journey", "campaigns").explode("campaigns")
    campaign = seen["campaigns"].to_numpy()
    counts = np.zeros((len(journeys), campaign.max() + 1))
    np.add.at(counts, (seen["journey"].to_numpy(), campaign), 1.0)
    return counts


def by_counts(counts: Floats, label: Floats, learn: np.ndarray) -> Floats:
    """Return probabilities of a logistic regression on counts by campaign."""
    fitted = LogisticRegression(max_iter=2000).fit(counts[learn], label[learn])
    return np.asarray(fitted.predict_proba(counts[~learn])[:, 1])


def by_trees(journeys: pl.DataFrame, counts: Floats, label: Floats, learn: np.ndarray) -> Floats:
    """Return probabilities of boosted trees on the journey up to its last impression.

    The rates that encode campaigns leave out the fold of each user, and the users judged are not
    among those counted.
    """
    histories = histories_of(journeys)
    rates = Rates.fit(*_cases(histories_of(journeys.filter(learn))))
    of = np.arange(len(journeys))
    last = journeys["times"].list.last().to_numpy() * SECOND_US
    intent = intent_features(moments_of(
        histories, of, last, lookback_us=LOOKBACK_US, cut=False
    ), rates)  # fmt: skip
    columns = np.column_stack([intent, counts, spacing(journeys)])
    names = [*INTENT, *(f"column_{place}" for place in range(columns.shape[1] - len(INTENT)))]
    data = lightgbm.Dataset(
        columns[learn], label[learn], feature_name=names, categorical_feature=list(CATEGORIES),
        params=PARAMETERS,
    )  # fmt: skip
    trees = lightgbm.train(dict(PARAMETERS), data, 300)
    return np.asarray(trees.predict(columns[~learn], num_threads=1))


def spacing(journeys: pl.DataFrame) -> Floats:
    """Return how impressions lie in time: seconds, shape (journeys, 5)."""
    gaps = pl.col("times").list.diff(null_behavior="drop")
    table = journeys.select(
        length=pl.col("times").list.last() - pl.col("times").list.first(),
        shortest=gaps.list.min(),
        longest=gaps.list.max(),
        middle=gaps.list.median(),
        latest=gaps.list.last(),
    )
    return table.cast(pl.Float64).fill_null(-1.0).to_numpy()


def histories_of(journeys: pl.DataFrame) -> Histories:
    """Return each journey as a history of one advertiser; a conversion follows by a second."""
    last = pl.col("times").list.last() * SECOND_US
    known = journeys.select("user", history="journey", weight=1.0).with_columns(
        advertiser_id=pl.lit("advertiser"), segment=pl.lit("all")
    )
    seen = journeys.select("times", "campaigns", history="journey").explode("times", "campaigns")
    touches = seen.select(
        "history",
        campaign_id=pl.format("campaign {}", "campaigns"),
        kind=pl.lit(KINDS[-1]),
        time_us=pl.col("times") * SECOND_US,
        shown=pl.lit(value=True),
    )
    found = journeys.filter(pl.col("converted") == 1).select(
        history="journey", time_us=last + SECOND_US, probability=1.0, value=1.0
    )
    times = touches["time_us"].to_numpy()
    end_us = int(times.max()) + 2 * SECOND_US
    return Histories.of(known, touches, found, start_us=int(times.min()), end_us=end_us)


def _cases(histories: Histories) -> tuple[Histories, Moments, Floats]:
    of: Integers = histories.conversion_history
    cases = moments_of(histories, of, histories.conversion_us, lookback_us=LOOKBACK_US)
    return histories, cases, histories.probability


def show(title: str, label: Floats, probability: Floats) -> None:
    """Print the figures of one model."""
    auc, loss = roc_auc_score(label, probability), log_loss(label, probability)
    print(f"  {title:<32} AUC {auc:.3f}   log loss {loss:.3f}")


if __name__ == "__main__":
    main()
