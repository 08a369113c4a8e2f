"""How well Splink 5 finds the users of signals without an identifier, on the logs that we match.

Usage: python benchmarks/splink_peer.py LOGS SIGNALS.parquet OUT.parquet [--em] [--threads N]
       (in an environment with splink>=5, polars and pyarrow; it imports nothing of adscribe)

LOGS is a folder of simulated logs as Parquet, SIGNALS holds the signal_ids to match, OUT gets
signal_id, user_id and match_probability: of each signal the 20 best users that a rule paired it
with, none where no rule did. Where LOGS has a truth_match.parquet, average precision and the recall
at a precision of .95 are printed too.

The settings, with the average precision that each gave on a world of 50,000 users, 14 days, seed 1.
They were chosen on the truth, so that world's figures flatter Splink; differences below .005 are
noise:

- Records: one a signal; one for each distinct observation of a user, with the first day of it. A
  user's probability is that of its best observation. No activity after the signal's log day pairs,
  by a condition on each blocking rule; training and term frequencies see all days, once.
- Blocking: same ip; same user agent, screen and city; same prefix and user agent. They make 59
  pairs a signal, so nothing is capped. A fourth, same prefix and screen, adds 12% pairs and gives
  .290; it is left out, for the peer is those three natural rules.
- Comparisons: network (ip, prefix), place (city, timezone, country), device (user agent, the same
  without versions, system with version, system), screen and language: .285. Place as lower levels
  of network .282; timezone beside place, which Splink then takes for independent of it, .270;
  device of its first two levels .280. The /48 of IPv6 never decides, and halves the recall at
  precision .95.
- Term frequencies on ip, user agent and device: .285. With screen, city and prefix as well .279: a
  rare phone has a rare user agent and a rare screen, and is paid for it twice. On ip alone .275. A
  least u of 1e-4 costs .04; half the weight .02.
- Training: u from 20 million random pairs. m from pairs of those signals, not in SIGNALS, of which
  a cookie, device or e-mail is known of exactly one user (estimate_m_from_pairwise_labels); our
  matcher learns from such signals too. Expectation maximisation, with --em, gives .257, and .226 to
  .259 in other designs: in a block of one ip or of one phone model, strangers who agree outnumber
  the matches by far, and it takes them for the matches.

References
----------
Splink, https://moj-analytical-services.github.io/splink/: settings, training and term frequencies.
"""

import argparse
import hashlib
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl
import splink
import splink.comparison_level_library as levels
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.comparison_library import CustomComparison

SEED: Final = 1
KEPT_USERS: Final = 20
RANDOM_PAIRS: Final = 2e7
TERM_FREQUENCIES: Final = frozenset({"ip", "user_agent", "device"})
LOGGED: Final = ("ip", "user_agent", "screen", "language", "country", "city", "timezone")
DERIVED: Final = ("prefix", "device", "system_version", "system")
LABEL_COLUMNS: Final = ("cookie_id", "device_id", "email_sha256")
PREDICTION_RULES: Final = (
    "l.ip = r.ip AND l.is_listed AND r.day <= l.day",
    "l.user_agent = r.user_agent AND l.screen = r.screen AND l.city = r.city"
    " AND l.is_listed AND r.day <= l.day",
    "l.prefix = r.prefix AND l.user_agent = r.user_agent AND l.is_listed AND r.day <= l.day",
)
# Each of the rules trains what it does not fix, and together they train all comparisons.
EM_RULES: Final = (
    ("ip",),
    ("user_agent", "screen", "city"),
    ("prefix", "user_agent"),
)


@dataclass(frozen=True)
class Records:
    """What Splink links.

    Attributes
    ----------
    signals : DataFrame
        One row a signal, those to match having `is_listed`.
    users : DataFrame
        One row for each distinct observation of a user, with its first day.
    labels : DataFrame
        Pairs of a signal and an observation that an identifier shows to be of one person.
    """

    signals: pl.DataFrame
    users: pl.DataFrame
    labels: pl.DataFrame


def read_table(logs: Path, name: str) -> pl.DataFrame:
    """Read all files of one table, with the log day: that of the folder, else of the event."""
    frames = []
    for path in sorted(logs.rglob(f"{name}*.parquet")):
        folder = path.parent.name
        day = (
            pl.lit(folder.removeprefix("date=")).str.to_date()
            if folder.startswith("date=")
            else pl.col("event_time").dt.date()
        )
        frames.append(pl.read_parquet(path).with_columns(day=day))
    return pl.concat(frames, how="diagonal_relaxed")


def with_derived(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the prefix (/24, or /64 of IPv6) and what of the user agent outlives versions.

    The simulator writes IPv6 with all eight groups; an address with ``::`` would have no prefix.
    """
    ip, versions = pl.col("ip"), r"[\d._]+"
    is_v6 = ip.str.contains(":", literal=True)
    system = pl.col("user_agent").str.extract(r"\(([^)]*)\)")
    return rows.with_columns(
        prefix=pl.when(is_v6)
        .then(ip.str.extract(r"^((?:[0-9a-f]+:){4})"))
        .otherwise(ip.str.extract(r"^(.*)\.\d+$")),
        device=pl.col("user_agent").str.replace_all(versions, ""),
        system_version=system,
        system=system.str.replace_all(versions, ""),
    )


def read_records(logs: Path, listed: pl.Series) -> Records:
    """Read signals and observations, and label what shares an identifier of one user only."""
    activity = read_table(logs, "activity")
    logged = read_table(logs, "signals").sort("event_time", "signal_id", maintain_order=True)
    logged = logged.unique("signal_id", keep="first", maintain_order=True)
    signals = with_derived(logged).select(
        pl.col("signal_id").alias("unique_id"),
        pl.col("signal_id").alias("entity"),
        *LOGGED,
        *DERIVED,
        "day",
        is_listed=pl.col("signal_id").is_in(listed.implode()),
    )
    attributes = [*LOGGED, *DERIVED]
    users = with_derived(activity).group_by(pl.col("user_id").alias("entity"), *attributes)
    observed = users.agg(pl.min("day")).sort("entity", *attributes).with_row_index("unique_id")
    observed = observed.select(
        pl.format("o{}", "unique_id").alias("unique_id"),
        "entity",
        *attributes,
        "day",
        is_listed=pl.lit(value=True),
    )
    others = logged.filter(pl.col("signal_id").is_in(listed.implode()).not_())
    known = identify(others, activity).join(others.select("signal_id", "day"), on="signal_id")
    return Records(signals, observed, label_pairs(known, observed))


def identify(signals: pl.DataFrame, activity: pl.DataFrame) -> pl.DataFrame:
    """Tell the user of signals with an identifier that exactly one user has: signal_id, user_id.

    A signal whose identifiers name two users is left out.
    """
    hashed = signals.with_columns(
        email_sha256=pl.col("email").map_elements(_digest, return_dtype=pl.String)
    )
    found = []
    for column in LABEL_COLUMNS:
        holders = activity.drop_nulls(column).group_by(column).agg(pl.col("user_id").unique())
        single = holders.filter(pl.col("user_id").list.len() == 1).explode("user_id")
        found.append(hashed.join(single, on=column).select("signal_id", "user_id"))
    return pl.concat(found).unique().filter(pl.len().over("signal_id") == 1)


def _digest(email: str) -> str:
    is_digest = len(email) == 64 and "@" not in email
    return email if is_digest else hashlib.sha256(email.strip().lower().encode()).hexdigest()


def label_pairs(known: pl.DataFrame, observed: pl.DataFrame) -> pl.DataFrame:
    """Pair each known signal with its user's observations up to its day, in Splink's columns."""
    rows = observed.select(user_id="entity", unique_id_r="unique_id", first_day="day")
    return (
        known.join(rows, on="user_id")
        .filter(pl.col("first_day") <= pl.col("day"))
        .sort("signal_id", "unique_id_r")
        .select(
            source_dataset_l=pl.lit("signals"),
            unique_id_l="signal_id",
            source_dataset_r=pl.lit("users"),
            unique_id_r="unique_id_r",
        )
    )


def compare(name: str, *columns: str) -> CustomComparison:
    """Build a comparison whose levels are agreement on each of `columns`, the strictest first.

    It is null where the first column is.
    """
    exact = [
        levels.ExactMatchLevel(column, term_frequency_adjustments=column in TERM_FREQUENCIES)
        for column in columns
    ]
    return CustomComparison(
        [levels.NullLevel(columns[0]), *exact, levels.ElseLevel()], output_column_name=name
    )


def build_settings() -> SettingsCreator:
    """Return the comparisons and blocking rules that the module's docstring gives reasons for."""
    return SettingsCreator(
        link_type="link_only",
        comparisons=[
            compare("network", "ip", "prefix"),
            compare("place", "city", "timezone", "country"),
            compare("device", "user_agent", "device", "system_version", "system"),
            compare("screen", "screen"),
            compare("language", "language"),
        ],
        blocking_rules_to_generate_predictions=list(PREDICTION_RULES),
        retain_matching_columns=False,
        additional_columns_to_retain=["entity"],
    )


def train(linker: Linker, database: DuckDBAPI, labels: pl.DataFrame, *, use_em: bool) -> None:
    """Estimate the prior, u, and m from labels or, `use_em`, by expectation maximisation."""
    training = linker.training
    training.estimate_probability_two_random_records_match(
        # Of a user's observations, one in ten is the signal's own network and browser.
        [block_on("ip", "user_agent", "screen")],
        recall=0.1,
    )
    training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    if use_em:
        for rule in EM_RULES:
            training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
    else:
        training.estimate_m_from_pairwise_labels(database.register(labels.to_arrow()))


def match(records: Records, *, use_em: bool, threads: int) -> tuple[pl.DataFrame, int]:
    """Train and predict.

    Returns
    -------
    candidates : DataFrame
        signal_id, user_id, match_probability: the best `KEPT_USERS` users of each signal.
    pairs : int
        How many pairs of a signal and an observation were compared.
    """
    settings: dict[str, Any] = {"threads": threads, "memory_limit": "10GB"}
    connection = duckdb.connect(":memory:", config=settings)
    database = DuckDBAPI(connection)
    # Splink puts the dataset that comes first by name on the left: signals before users.
    tables = [
        database.register(records.signals.to_arrow(), dataset_display_name="signals"),
        database.register(records.users.to_arrow(), dataset_display_name="users"),
    ]
    linker = Linker(tables, build_settings(), log_level="ERROR")
    train(linker, database, records.labels, use_em=use_em)
    predicted = linker.inference.predict().as_duckdbpyrelation()
    counted = predicted.count("*").fetchall()
    users = predicted.aggregate(
        "entity_l AS signal_id, entity_r AS user_id, max(match_probability) AS match_probability"
    ).pl()
    order = {
        "by": ["signal_id", "match_probability", "user_id"],
        "descending": [False, True, False],
    }
    best = users.sort(**order).filter(pl.int_range(pl.len()).over("signal_id") < KEPT_USERS)
    return best, counted[0][0]


def judge(candidates: pl.DataFrame, listed: pl.Series, truth: pl.DataFrame) -> dict[str, float]:
    """Return the average precision of the best candidates, and their recall at precision .95."""
    persons = truth.select("signal_id", person="user_id").unique("signal_id")
    persons = persons.filter(pl.col("signal_id").is_in(listed.implode()))
    findable = len(persons.drop_nulls("person"))
    ranked = (
        candidates.sort("match_probability", "user_id", descending=[True, False])
        .unique("signal_id", keep="first", maintain_order=True)
        .join(persons, on="signal_id", how="left", maintain_order="left")
        .select(is_hit=(pl.col("person") == pl.col("user_id")).fill_null(value=False))
        .with_columns(hits=pl.col("is_hit").cum_sum(), rank=pl.int_range(1, pl.len() + 1))
        .with_columns(precision=pl.col("hits") / pl.col("rank"))
        .filter("is_hit")
    )
    precise = ranked.filter(pl.col("precision") >= 0.95)["hits"].max()
    return {
        "signals of users": findable,
        "found by the best candidate": len(ranked),
        "average precision": ranked["precision"].sum() / findable,
        "recall at precision .95": (precise or 0) / findable,
    }


def main() -> None:
    """Match the listed signals, write their candidates and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("logs", type=Path)
    parser.add_argument("signals", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--em", action="store_true", help="train m without labels")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    started = time.monotonic()
    listed = pl.read_parquet(options.signals, columns=["signal_id"])["signal_id"].unique()
    records = read_records(options.logs, listed)
    candidates, pairs = match(records, use_em=options.em, threads=options.threads)
    candidates.write_parquet(options.out)
    figures: dict[str, str | float] = {
        "splink": splink.__version__,
        "seconds": time.monotonic() - started,
        "peak GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
        "listed signals": len(listed),
        "observations of users": len(records.users),
        "labelled pairs": 0 if options.em else len(records.labels),
        "pairs compared": pairs,
    }
    truth = options.logs / "truth_match.parquet"
    if truth.exists():
        figures |= judge(candidates, listed, pl.read_parquet(truth))
    for name, figure in figures.items():
        print(f"{name:<28} {figure:.4f}" if isinstance(figure, float) else f"{name:<28} {figure}")


if __name__ == "__main__":
    main()
