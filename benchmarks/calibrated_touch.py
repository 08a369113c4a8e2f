"""Do the default models find the incremental conversions in a run? Against worlds that know them.

Usage: python benchmarks/calibrated_touch.py [--seeds 11 12 ...] [--users N] [--days N]
           [--own-matches] [--folder DIR]

For each seed a world is simulated whose conversions have known causes. By default its logs are
rewritten so that matching is the truth: each signal of a user names him by an e-mail address and
by nothing else. Then ``adscribe run`` credits them a day at a time under last_touch,
calibrated_last_touch and incremental, and credit is compared with truth_credit. With --own-matches
the logs stay as they are, a model of pairs is trained, and credit is compared with the incremental
conversions among those matched, each by its match probability.

Printed a seed: the incremental conversions, and for each model credit over them less 1 (the total)
and the sum over campaigns of absolute errors over them (by campaign). "Scaled" is the same error
when last touch is told the true total.
"""

import argparse
import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
from measure import measured

from attribution.holdouts.calibrated_touch import ANY_CAMPAIGN

MODELS: Final = ("last_touch", "calibrated_last_touch", "incremental")
CONFIG: Final = """
[model]
enabled = {model}
[attribution]
models = ["last_touch", "calibrated_last_touch", "incremental"]
"""
HIDDEN: Final = (
    "click_id", "cookie_id", "device_id", "external_id", "phone", "url", "ip", "user_agent",
    "screen", "language", "country", "region", "city", "timezone",
)  # fmt: skip
EARNED: Final = """
SELECT campaign_id, model, sum(credit_micros) / 1e6 AS credit
FROM credits JOIN conversions USING (conversion_id)
WHERE outcome = 'touch' AND status <> 'retracted'
GROUP BY ALL
"""
# what of each caused conversion some user was found for
MATCHED: Final = """
SELECT caused_by AS campaign_id, sum(micros) / 1e6 AS incremental
FROM (
    SELECT conversion_id, sum(user_micros) AS micros FROM conversion_users GROUP BY ALL
)
JOIN conversions USING (conversion_id)
JOIN read_parquet($truth) AS truth ON truth.signal_id = conversion_id
WHERE caused_by IS NOT NULL AND status <> 'retracted'
GROUP BY ALL
"""


def main() -> None:
    """Print a line for each seed and one for all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(11, 21)))
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--own-matches", action="store_true", help="match by the engine")
    parser.add_argument("--folder", type=Path, default=None, help="where to write (a fast disk)")
    options = parser.parse_args()
    os.environ.setdefault("ADSCRIBE_KEY", "a key for benchmarks only")
    print("| seed | incremental | last touch: total | by campaign | scaled | calibrated: total "
          "| by campaign | incremental: total | by campaign | basis |\n"
          "|---|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    lines = []
    for seed in options.seeds:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            world = Path(name, "world")
            size = [f"--users={options.users}", f"--days={options.days}", f"--seed={seed}"]
            measured([adscribe(), "simulate", str(world), *size])
            credit, truth, basis = run(world, own_matches=options.own_matches)
        lines.append(errors(credit, truth))
        tell(str(seed), lines[-1], basis)
    figures = [sum(column) / len(lines) for column in zip(*lines, strict=True)]
    tell("mean", figures, "")
    for model, place in (("calibrated last touch", 4), ("incremental", 6)):
        worst = max(abs(line[place]) for line in lines)
        print(f"\nworst total of {model}: {worst:.1%}")


def adscribe() -> str:
    """Return the command beside this Python."""
    return str(Path(sys.executable).with_name("adscribe"))


def command(*told: str, db: Path, config: Path) -> None:
    """Run a command on the warehouse to its end."""
    measured([adscribe(), *told, "--db", str(db), "--config", str(config)])


def true_credit(world: Path) -> pl.DataFrame:
    """Return the incremental conversions of each campaign."""
    truth = pl.read_parquet(world / "truth_credit.parquet")
    return truth.select("incremental", campaign_id="caused_by")


def run(world: Path, *, own_matches: bool) -> tuple[pl.DataFrame, pl.DataFrame, str]:
    """Return credit by model and campaign after a run, the truth, and what rates came of."""
    db, plain, whole = (
        world.with_name(name) for name in ("ads.duckdb", "plain.toml", "model.toml")
    )
    plain.write_text(CONFIG.format(model="false"), encoding="utf-8")
    whole.write_text(CONFIG.format(model="true"), encoding="utf-8")
    if not own_matches:
        tell_matches(world)
        command("run", "--logs", str(world), db=db, config=plain)
    else:
        command("ingest", "--logs", str(world), db=db, config=plain)
        command("match", db=db, config=plain)  # by identifiers, which a model learns from
        command("train", db=db, config=whole)
        command("match", db=db, config=whole)
        command("attribute", db=db, config=whole)
    truth = true_credit(world)
    with duckdb.connect(str(db), read_only=True) as connection:
        credit = connection.sql(EARNED).pl()
        rates = connection.sql("SELECT DISTINCT campaign_id, basis FROM touch_rates").pl()
        if own_matches:
            signals = str(world / "truth_match.parquet")
            truth = connection.sql(MATCHED, params={"truth": signals}).pl()
    return credit, truth, bases(rates)


def tell_matches(world: Path) -> None:
    """Rewrite the logs so that each signal of a user names him, and nothing else of it does.

    The activity becomes one row a user on the first day, which knows his address.
    """
    truth = pl.read_parquet(world / "truth_match.parquet").select("signal_id", "user_id")
    address = pl.col("user_id") + "@example.com"
    for file in sorted(world.glob("date=*/signals*.parquet")):
        signals = pl.read_parquet(file).drop(*HIDDEN).join(truth, on="signal_id", how="left")
        signals = signals.with_columns(email=address, consent=pl.lit("granted"))
        signals.drop("user_id").write_parquet(file)
    users = truth["user_id"].drop_nulls().unique().sort()
    files = sorted(world.glob("date=*/activity*.parquet"))
    start = pl.read_parquet(files[0])["event_time"].dt.truncate("1d").min()
    digests = [hashlib.sha256(f"{user}@example.com".encode()).hexdigest() for user in users]
    known = pl.DataFrame({"user_id": users, "email_sha256": digests})
    known = known.with_columns(event_time=pl.lit(start).cast(pl.Datetime("us")))
    for file in files:
        (known if file == files[0] else known.clear()).write_parquet(file)


def bases(rates: pl.DataFrame) -> str:
    """Return what the campaigns' rates were estimated from."""
    own = rates.filter(pl.col("campaign_id") != ANY_CAMPAIGN)
    return ", ".join(own["basis"].unique().sort())


def errors(credit: pl.DataFrame, truth: pl.DataFrame) -> list[float]:
    """Return the incremental conversions and the errors of the models."""
    total = float(truth["incremental"].sum())
    found = [total]
    for model in MODELS:
        own = credit.filter(model=model).select("campaign_id", "credit")
        both = truth.join(own, on="campaign_id", how="full", coalesce=True).fill_null(0)
        earned, true = both["credit"].to_numpy(), both["incremental"].to_numpy()
        found += [float(earned.sum()) / total - 1, float(abs(earned - true).sum()) / total]
        if model == "last_touch":
            scaled = earned * (total / earned.sum())
            found.append(float(abs(scaled - true).sum()) / total)
    return found


def tell(name: str, figures: list[float], basis: str) -> None:
    """Print one line of the table."""
    incremental, total, plain, scaled, *others = figures
    told = [f"{incremental:,.0f}", f"{total:+.1%}", f"{plain:.3f}", f"{scaled:.3f}"]
    told += [f"{figure:{'.3f' if nth % 2 else '+.1%'}}" for nth, figure in enumerate(others)]
    print(f"| {name} | {' | '.join(told)} | {basis} |", flush=True)


if __name__ == "__main__":
    main()
