"""How well pairs of iPinYou's impressions are told to be of one browser, its ids held back.

Usage: python benchmarks/ipinyou.py [IMPRESSIONS] [--folder DIR]

Every impression stands once as a signal and once as the only observation of a user of its own, so
that blocking and comparison work on pairs of impressions: network, user agent, place and time, as
on any logs. Trees are grown on pairs of four fifths of the browsers, each pair for itself, and
judge those of the last fifth, whose ids they never saw; so for each fifth in turn. A pair counts
where it is as likely as not, or likelier. Beside it stand the exact rules. All are measured on all
pairs of impressions that the log gives one id; a pair that blocking left out is missed.
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

from matching.blocking import find_candidates
from matching.comparisons import FEATURES, compare_pairs
from matching.pair_model import Choices, fit_trees
from warehouse.config import ModelConfig
from warehouse.database import Warehouse

LOG: Final = Path("../shared/data/ipinyou_imp_20131021_adv2821.tsv.gz")
FOLDS: Final = 5
COLUMNS: Final = {
    "bid": 0, "time": 1, "id": 3, "user_agent": 4, "ip": 5, "region": 6, "city": 7,
}  # fmt: skip


def main() -> None:
    """Print precision, recall and F1 of the rules and of the trees."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("impressions", type=Path, nargs="?", default=LOG)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    log = read(options.impressions)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        pairs = compared(log, Path(name))
    of_ids = log.group_by("id").len().select((pl.col("len") * (pl.col("len") - 1) // 2).sum())
    positives = int(of_ids.item())
    print(f"{len(log):,} impressions, {positives:,} pairs of one browser; "
          f"{len(pairs):,} candidate pairs")  # fmt: skip
    for title, chosen in {
        "same network": pl.col("network_count") > 0,
        "same network and user agent": (pl.col("network_count") > 0) & (pl.col("agent_count") > 0),
    }.items():
        show(title, pairs.filter(chosen), positives)
    show("pair model", pairs.filter(judged(pairs) >= 0.5), positives)


def read(path: Path) -> pl.DataFrame:
    """Return the impressions with a number of their own, their id aside."""
    fields = pl.read_csv(
        path, separator="\t", has_header=False, null_values=["null"], quote_char=None,
        infer_schema=False,
    )  # fmt: skip
    log = pl.DataFrame({name: fields.to_series(place) for name, place in COLUMNS.items()})
    time = pl.col("time").str.to_datetime("%Y%m%d%H%M%S%3f", time_unit="us")
    place = pl.col("region", "city").replace("0", None)
    return (
        log.with_columns(place, time)
        .unique("bid", keep="first", maintain_order=True)
        .sort("time", "bid")
        .with_columns(signal_id=pl.format("i{}", pl.int_range(pl.len()).cast(pl.String)))
    )


def compared(log: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Return the candidate pairs of impressions, the later as a signal, with the ids of both."""
    seen = log.select(
        "signal_id", "ip", "user_agent", "region", "city", event_time="time",
        user_id="signal_id", country=pl.lit("CN"), advertiser_id=pl.lit("a"),
        event_name=pl.lit("e"),
    )  # fmt: skip
    logs, db = folder / "logs", folder / "ads.duckdb"
    logs.mkdir()
    common = ("event_time", "ip", "user_agent", "country", "region", "city")
    seen.select("user_id", *common).write_parquet(logs / "activity.parquet")
    seen.select("signal_id", "advertiser_id", "event_name", *common).write_parquet(
        logs / "signals.parquet"
    )
    adscribe = str(Path(sys.executable).with_name("adscribe"))
    command = [adscribe, "ingest", "--logs", str(logs), "--db", str(db)]
    subprocess.run(command, check=True, capture_output=True)
    day: date = log["time"].dt.date()[0]
    with Warehouse.open(db, read_only=True) as warehouse:
        chosen = "CREATE TEMP TABLE chosen_signals AS SELECT signal_id FROM signals"
        warehouse._connection.execute(chosen).fetchall()
        find_candidates(warehouse, day, ModelConfig())
        pairs = compare_pairs(warehouse)
    order = log.select("signal_id", "id", place=pl.int_range(pl.len()))
    return (
        pairs.join(order, on="signal_id")
        .join(order, left_on="user_id", right_on="signal_id", suffix="_of_user")
        .filter(pl.col("place_of_user") < pl.col("place"))
        .with_columns(same=(pl.col("id") == pl.col("id_of_user")).fill_null(value=False))
        .sort("signal_id", "user_id")
    )


def judged(pairs: pl.DataFrame) -> pl.Series:
    """Return the probability of each pair by trees that saw no pair of its browsers."""
    fold = (pairs["id"].fill_null("").hash(7) % FOLDS).to_numpy()
    other = (pairs["id_of_user"].fill_null("").hash(7) % FOLDS).to_numpy()
    same = pairs["same"].cast(pl.Float64).to_numpy()
    choices = Choices(np.arange(len(pairs)), same, np.ones(len(pairs)))
    probability = np.empty(len(pairs))
    for held_back in range(FOLDS):
        learn, judge = (fold != held_back) & (other != held_back), fold == held_back
        trees = fit_trees(
            pairs.filter(learn), choices.subset(learn), features=FEATURES, directions={}, seed=1
        )
        scores = trees.scores(pairs.filter(judge), FEATURES)
        probability[judge] = choices.subset(judge).probabilities(scores)
    return pl.Series(probability)


def show(title: str, chosen: pl.DataFrame, positives: int) -> None:
    """Print the figures of the chosen pairs."""
    right = int(chosen["same"].sum())
    precision, recall = right / max(len(chosen), 1), right / positives
    f1 = 2 * right / (len(chosen) + positives)
    print(f"{title:<28} precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}")


if __name__ == "__main__":
    main()
