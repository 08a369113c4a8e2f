"""What the match of one large day takes, and how candidates grow with the number of users.

Usage: python benchmarks/match_scale.py [--users 50000 200000 500000] [--days N] [--folder DIR]

A world is simulated, and the signals of all its days are put into the last day's log: of 500,000
users and 15 days about 260,000 signals meet 3.8 million observations. A model is trained, and then
the command that matches that day runs alone, with 2 threads and a memory limit of 4 GiB for DuckDB;
its time, its peak memory and the most that DuckDB spilled are measured. Then the parts: the rate of
the model alone, and of features and scoring together.
"""

import argparse
import sys
import tempfile
import threading
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl
from measure import measured

from matching.blocking import find_candidates
from matching.comparisons import compare_parts
from matching.models import PairModel, active_model, models_folder
from matching.selection import compete
from warehouse.config import ModelConfig
from warehouse.database import Warehouse

START: Final = date(2026, 1, 5)
CONFIG: Final = """
[warehouse]
memory_limit = "4GiB"
threads = 2
[model]
training_signals = 20000
"""
CHOSEN: Final = """
CREATE OR REPLACE TEMP TABLE chosen_signals AS
SELECT signals.signal_id FROM signals
LEFT JOIN matches ON matches.signal_id = signals.signal_id AND matches.method <> 'model'
WHERE matches.signal_id IS NULL AND signals.is_bot IS DISTINCT FROM true
"""


def main() -> None:
    """Print a line for each number of users."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, nargs="+", default=[50_000, 200_000, 500_000])
    parser.add_argument("--days", type=int, default=15)
    parser.add_argument("--folder", type=Path, default=None, help="where to write (a fast disk)")
    parser.add_argument("--rates", type=Path, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rates is not None:
        rates(options.rates, START + timedelta(days=options.days - 1))
        return
    for users in options.users:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            one_size(Path(name), users, options.days)


def one_size(folder: Path, users: int, days: int) -> None:
    """Simulate, match and print."""
    adscribe = str(Path(sys.executable).with_name("adscribe"))
    logs, db, last = folder / "logs", folder / "ads.duckdb", START + timedelta(days=days - 1)
    plain, whole = folder / "plain.toml", folder / "model.toml"
    whole.write_text(CONFIG, encoding="utf-8")
    plain.write_text(CONFIG + "enabled = false\n", encoding="utf-8")
    measured([adscribe, "simulate", str(logs), f"--users={users}", f"--days={days}", "--seed=1"])
    gather(logs, last)
    common = ["--db", str(db), "--config"]
    measured([adscribe, "ingest", "--logs", str(logs), *common, str(plain)])
    measured([adscribe, "match", *common, str(plain)])
    trained = measured([adscribe, "train", *common, str(whole)])
    spills: list[int] = [0]
    stop = threading.Event()
    watcher = threading.Thread(target=watch, args=(folder, spills, stop))
    watcher.start()
    matched = measured([adscribe, "match", *common, str(whole), "--day", str(last)])
    stop.set()
    watcher.join()
    print(
        f"{users:,} users: train {trained.seconds:.0f} s, {trained.peak_gib:.2f} GiB; match of "
        f"{last} {matched.seconds:.0f} s, {matched.peak_gib:.2f} GiB, spilled "
        f"{max(spills) / 1024**3:.2f} GiB",
        flush=True,
    )
    # in a process of its own, for what this one holds counts as held by those that it starts
    print(measured([sys.executable, __file__, "--rates", str(db), f"--days={days}"]).output, end="")


def gather(logs: Path, last: date) -> None:
    """Put the signals of all days into the last day's folder."""
    files = sorted(logs.glob("date=*/signals*.parquet"))
    signals = pl.concat([pl.read_parquet(file) for file in files])
    for file in files:
        file.unlink()
    signals.write_parquet(logs / f"date={last}" / "signals.parquet")
    for touches in logs.glob("date=*/touchpoints*.parquet"):
        touches.unlink()


def watch(folder: Path, spills: list[int], stop: threading.Event) -> None:
    """Note how large DuckDB's temporary files are."""
    while not stop.wait(0.2):
        sizes = []
        for file in folder.glob("*.tmp/*"):
            try:
                sizes.append(file.stat().st_size)
            except FileNotFoundError:
                continue
        spills.append(sum(sizes))


def rates(db: Path, last: date) -> None:
    """Print the size of the task, candidates a signal, and the rates of its parts."""
    with Warehouse.open(db, read_only=True) as warehouse:
        run = warehouse._connection
        run.execute("SET threads = 2").fetchall()
        run.execute("SET enable_progress_bar = false").fetchall()
        run.execute(CHOSEN).fetchall()
        started = time.monotonic()
        find_candidates(warehouse, last, ModelConfig())
        blocked = time.monotonic()
        model = PairModel.load(models_folder(warehouse) / str(active_model(warehouse)))
        candidates, model_seconds = 0, 0.0
        for pairs in compare_parts(warehouse):
            before = time.monotonic()
            model.scores(pairs)
            model_seconds += time.monotonic() - before
            compete(pairs, model)
            candidates += len(pairs)
        done = time.monotonic() - model_seconds  # scored twice, once alone
        seen, signals, of_users = run.sql(
            "SELECT (SELECT count(*) FROM window_activity WHERE signal_id IS NULL), "
            "(SELECT count(*) FROM signals), (SELECT count(*) FROM model_signals)"
        ).fetchall()[0]
    print(
        f"  {signals:,} signals, {of_users:,} of them for the model, {seen:,} observations; "
        f"{candidates:,} candidates, {candidates / of_users:.1f} a signal\n"
        f"  blocking {blocked - started:.1f} s; features and scoring {done - blocked:.1f} s, "
        f"{candidates / (done - blocked):,.0f} pairs a second; the model alone "
        f"{candidates / model_seconds:,.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
