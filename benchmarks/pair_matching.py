"""Matching without identifiers, over several simulated worlds: ours, the oracle-labelled, Splink.

Usage: python benchmarks/pair_matching.py [--users N] [--days N] [--seeds 1 2 3 4 5] [--outsiders X]
           [--splink PYTHON] [--folder DIR] [--out FILE]

For each seed a world is simulated and run day by day. All figures are of the signals that no
identifier gave a user, of all days:

- nightly: the matches as the daily run stored them, each day with the model of its schedule;
- trained: one model, trained as ``adscribe train`` does on the world's last days, for every day;
- oracle: trees on the same features, grown on the true users of half of the signals and judged on
  the other half, and the other way round: the ceiling of what labels alone can reach;
- splink, splink --em: ``benchmarks/splink_peer.py`` in the environment of another Python, which has
  splink>=5, with m trained from labelled pairs and by expectation maximisation.

Blocking is set beside the union of three rules: same address; same user agent, screen and city;
same network and user agent. Every candidate is one that was known by the end of the signal's day.
`--outsiders` is the number of people who are no users, for one user (0.68 unless told).
"""

import argparse
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from measure import measured

import simulation
from matching.blocking import find_candidates
from matching.comparisons import DIRECTIONS, FEATURES, compare_pairs
from matching.evaluation import read_truth
from matching.figures import GroupFigures, group_figures
from matching.models import PairModel
from matching.pair_model import Choices, fit_trees
from matching.selection import compete
from matching.training import train
from simulation.config import WorldConfig
from warehouse.config import ModelConfig
from warehouse.database import Warehouse

UNMATCHED: Final = """
SELECT signals.signal_id, signals.day, signals.advertiser_id, truth.user_id
FROM signals
JOIN truth ON truth.signal_id = signals.signal_id
LEFT JOIN matches ON matches.signal_id = signals.signal_id AND matches.method <> 'model'
WHERE matches.signal_id IS NULL
ORDER BY signals.signal_id
"""
STORED: Final = """
SELECT signal_id, user_id AS best, match_probability, declared FROM matches
WHERE method = 'model' AND rank = 1
"""
CHOSEN: Final = """
CREATE OR REPLACE TEMP TABLE chosen_signals AS
SELECT signals.signal_id FROM signals
LEFT JOIN matches ON matches.signal_id = signals.signal_id AND matches.method <> 'model'
WHERE signals.day = $day AND matches.signal_id IS NULL AND signals.is_bot IS DISTINCT FROM true
"""
RULES: Final = """
WITH sides AS (
    SELECT model_signals.signal_id, seen.user_id
    FROM model_signals
    JOIN (SELECT DISTINCT user_id, address FROM window_activity WHERE signal_id IS NULL) AS seen
        ON seen.address = model_signals.address
    UNION
    SELECT model_signals.signal_id, seen.user_id
    FROM model_signals
    JOIN (SELECT DISTINCT user_id, agent_place FROM window_activity WHERE signal_id IS NULL) AS seen
        ON seen.agent_place = model_signals.agent_place
    UNION
    SELECT model_signals.signal_id, seen.user_id
    FROM model_signals
    JOIN (SELECT DISTINCT user_id, network, agent FROM window_activity WHERE signal_id IS NULL)
        AS seen
        ON seen.network = model_signals.network AND seen.agent = model_signals.agent
)
SELECT count(*) AS pairs, count(*) FILTER (WHERE sides.user_id = truth.user_id) AS found
FROM sides JOIN truth ON truth.signal_id = sides.signal_id
"""
SHARED: Final = """
SELECT signals.signal_id
FROM signals
JOIN activity ON activity.address_digest = signals.address_digest
    AND activity.day <= signals.day AND activity.day > signals.day - 30
GROUP BY signals.signal_id HAVING count(DISTINCT activity.user_id) > 1
"""
SHOWN: Final = (
    "average_precision", "recall_at_precision_90", "recall_at_precision_95",
    "recall_at_precision_99", "calibration_ratio", "calibration_error",
    "declared_calibration_ratio", "declared_calibration_error",
)  # fmt: skip


def main() -> None:
    """Print the figures of each seed and their means, and write them as a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--outsiders", type=float, default=None)
    parser.add_argument("--splink", type=Path, default=None, help="a Python that has splink>=5")
    parser.add_argument("--folder", type=Path, default=None, help="where to write (a fast disk)")
    parser.add_argument("--out", type=Path, default=None, help="CSV of all figures")
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for seed in options.seeds:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            rows += one_world(Path(name), seed, options)
        if options.out is not None:
            pl.DataFrame(rows, infer_schema_length=None).write_csv(options.out)
    show(pl.DataFrame(rows, infer_schema_length=None), len(options.seeds))


def one_world(folder: Path, seed: int, options: argparse.Namespace) -> list[dict[str, object]]:
    """Simulate, run and judge one world; return a row for each matcher and group of signals."""
    logs, db = folder / "logs", folder / "ads.duckdb"
    rates = {} if options.outsiders is None else {"outsiders_per_user": options.outsiders}
    simulation.simulate(
        logs, users=options.users, days=options.days, seed=seed, config=WorldConfig(**rates)
    )
    adscribe = str(Path(sys.executable).with_name("adscribe"))
    ran = measured([adscribe, "run", "--logs", str(logs), "--db", str(db)])
    config = ModelConfig()
    with Warehouse.open(db, read_only=True) as warehouse:
        run = warehouse._connection
        with warehouse.frame("truth", read_truth(logs / "truth_match.parquet")):
            signals = run.sql(UNMATCHED).pl()
            nightly = signals.join(run.sql(STORED).pl(), on="signal_id", how="left")
            shared = signals.join(run.sql(SHARED).pl(), on="signal_id", how="semi").select(
                "signal_id"
            )
            days: list[date] = signals["day"].unique().sort().to_list()
            trained = train(warehouse, days[-1], config)
            pairs, rules = candidates(warehouse, days, config)
    outsiders = float(signals["user_id"].is_null().mean() or 0)
    found = pairs.filter(pl.col("user_id") == pl.col("truth"))
    print(
        f"\nseed {seed}: {len(signals):,} signals, {outsiders:.1%} of nobody (estimated "
        f"{trained.model.facts.metrics['outsiders']:.1%}); run {ran.seconds:.0f} s, "
        f"{ran.peak_gib:.2f} GiB\n"
        f"blocking: {len(found):,} true pairs among {len(pairs):,} candidates; the three rules "
        f"{rules[1]:,} among {rules[0]:,}",
        flush=True,
    )
    judged = {
        "nightly": nightly.with_columns(pl.col("declared").fill_null(value=False)),
        "trained": best_of(signals, scored(pairs, trained.model)),
        "oracle": best_of(signals, by_oracle(pairs)),
    }
    if options.splink is not None:
        for name, flags in (("splink", []), ("splink --em", ["--em"])):
            judged[name] = best_of(signals, by_splink(options.splink, logs, signals, flags, folder))
    rows: list[dict[str, object]] = [
        {"seed": seed, "matcher": "blocking", "group": side, "pairs": count, "true_pairs": true}
        for side, count, true in (
            ("ours", len(pairs), len(found)),
            ("rules", rules[0], rules[1]),
        )
    ]
    for matcher, best in judged.items():
        best = best.with_columns(
            of_user=pl.col("user_id").is_not_null(),
            correct=(pl.col("best") == pl.col("user_id")).fill_null(value=False),
        )
        groups = [group_figures("all", best)]
        if matcher in ("nightly", "trained"):
            groups.append(
                group_figures("shared address", best.join(shared, on="signal_id", how="semi"))
            )
            groups += [
                group_figures(str(name), best.filter(pl.col("advertiser_id") == name))
                for name in best["advertiser_id"].unique().sort()
            ]
        for group in groups:
            told = figures(group)
            rows.append({"seed": seed, "matcher": matcher, "group": group.group, **told})
            if group.group in ("all", "shared address"):
                shown = ", ".join(f"{key} {value:.4f}" for key, value in told.items() if value)
                print(f"{matcher:<12} {group.group:<15} {shown}", flush=True)
    return rows


def candidates(
    warehouse: Warehouse, days: list[date], config: ModelConfig
) -> tuple[pl.DataFrame, tuple[int, int]]:
    """Return the compared candidates of all days with the true user, and what the rules find."""
    run, parts, rules = warehouse._connection, [], np.zeros(2, dtype=int)
    for day in days:
        run.execute(CHOSEN, {"day": day}).fetchall()
        find_candidates(warehouse, day, config)
        parts.append(compare_pairs(warehouse))
        rules += np.array(run.sql(RULES).fetchall()[0])
    truth = run.sql("SELECT signal_id, user_id AS truth FROM truth").pl()
    pairs = pl.concat(parts).join(truth, on="signal_id", how="left", maintain_order="left")
    return pairs.sort("signal_id", "user_id"), (int(rules[0]), int(rules[1]))


def scored(pairs: pl.DataFrame, model: PairModel) -> pl.DataFrame:
    """Return the pairs with the probability that our model gives them."""
    return compete(pairs, model)


def by_oracle(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs with the probability of trees that saw the truth of the other half."""
    half = (pairs["signal_id"].hash(7) % 2).to_numpy()
    same = (pairs["user_id"] == pairs["truth"]).fill_null(value=False).cast(pl.Float64).to_numpy()
    signals = pairs["signal_id"].rle_id().cast(pl.Int64).to_numpy()
    choices = Choices(signals, same, np.ones(len(pairs)))
    probability = np.empty(len(pairs))
    for side in (0, 1):
        learn, judge = half == side, half != side
        trees = fit_trees(
            pairs.filter(learn),
            choices.subset(learn),
            features=FEATURES,
            directions=DIRECTIONS,
            seed=1,
        )
        probability[judge] = choices.subset(judge).probabilities(
            trees.scores(pairs.filter(judge), FEATURES)
        )
    return pairs.with_columns(match_probability=probability)


def by_splink(
    python: Path, logs: Path, signals: pl.DataFrame, flags: list[str], folder: Path
) -> pl.DataFrame:
    """Return Splink's candidates, by its own Python."""
    listed, out = folder / "listed.parquet", folder / "splink.parquet"
    signals.select("signal_id").write_parquet(listed)
    script = Path(__file__).with_name("splink_peer.py")
    command = [str(python), str(script), str(logs), str(listed), str(out), *flags]
    subprocess.run(command, check=True, capture_output=True)
    return pl.read_parquet(out)


def best_of(signals: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Return each signal with its best candidate; declared from one half on."""
    best = (
        scores.select("signal_id", pl.col("user_id").alias("best"), "match_probability")
        .sort("signal_id", "match_probability", "best", descending=[False, True, False])
        .unique("signal_id", keep="first", maintain_order=True)
    )
    return signals.join(best, on="signal_id", how="left").with_columns(
        declared=(pl.col("match_probability") >= 0.5).fill_null(value=False)
    )


def figures(group: GroupFigures) -> dict[str, float | None]:
    """Return the figures that are shown."""
    return {name: getattr(group, name) for name in SHOWN}


def show(rows: pl.DataFrame, seeds: int) -> None:
    """Print the means over the seeds, and the ratios that matter."""
    with pl.Config(tbl_rows=100, tbl_cols=20, tbl_width_chars=200, float_precision=4):
        means = rows.group_by("matcher", "group", maintain_order=True).agg(
            pl.col(*[name for name in rows.columns if name not in _NAMES]).mean()
        )
        print(f"\nmeans over {seeds} seeds\n{means}")
    whole = {row["matcher"]: row for row in means.filter(pl.col("group") == "all").to_dicts()}
    for ours in ("nightly", "trained"):
        for peer in ("oracle", "splink", "splink --em"):
            if peer in whole:
                ratios = ", ".join(
                    f"{name} {whole[ours][name] / whole[peer][name]:.3f}"
                    for name in ("average_precision", "recall_at_precision_95")
                    if whole[peer][name]
                )
                print(f"{ours} / {peer}: {ratios}")


_NAMES: Final = ("seed", "matcher", "group")

if __name__ == "__main__":
    main()
