"""The stage: a model's matches of a day are a function of the logs, whatever was done before."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from daily import Stage, open_run, run_days
from matching import match_day, pair_model
from matching.probabilistic import activate
from simulation import simulate
from simulation.config import WorldConfig
from tests.privacy.people import adscribe, write_rows
from warehouse.checks import broken
from warehouse.config import Config, DeclareRule, ModelConfig, WarehouseConfig
from warehouse.database import Warehouse
from warehouse.errors import ConfigError
from warehouse.logs import LogFolder
from warehouse.runs import Run

DAYS = [date(2026, 1, 5) + timedelta(days=n) for n in range(4)]
# two days are looked at, so that what is read again is out of sight on the last one
CONFIG = Config(
    warehouse=WarehouseConfig(threads=1),
    model=ModelConfig(
        enough_signals=100,
        lookback_days=2,
        candidates=12,
        training_signals=600,
        declare=DeclareRule(probability=0.2),
    ),
)
OF_DAYS = ("matches", "match_thresholds")
OF_PAIR = ["signal_id", "user_id", "match_probability"]
OF_MODELS = ("pair_models", "held_out_signals")
LOOK = {
    "ip": "81.2.69.142", "screen": "390x844x3", "language": "sv", "country": "SE",
    "city": "Visby", "timezone": "Europe/Stockholm",
    "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1",
}  # fmt: skip
BOT = {**LOOK, "user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}

Opener = Callable[..., Run]


@dataclass(frozen=True)
class Matched:
    """Logs, the folder of a warehouse that has matched them, and its matches a day earlier."""

    logs: Path
    folder: Path
    a_day_earlier: pl.DataFrame


@pytest.fixture(scope="module", autouse=True)
def few_trees() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pair_model._PARAMETERS, "num_threads", 1)
        patch.setitem(pair_model.fit_trees.__kwdefaults__, "rounds", 6)
        yield


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory) -> Matched:
    root = tmp_path_factory.mktemp("stage")
    logs, folder = root / "logs", root / "db"
    simulate(logs, users=900, days=4, seed=3, config=WorldConfig(episodes_per_person_day=2.0))
    add_a_loner(logs / f"date={DAYS[3]}")
    folder.mkdir()
    with open_run(folder / "ads.duckdb", "run", CONFIG) as (run, key):
        for day in DAYS:
            if day == DAYS[3]:
                a_day_earlier = table(run.warehouse, "matches")
            run_days(run, key, [day], logs=LogFolder.find(logs), stages=(Stage.INGEST, Stage.MATCH))
    return Matched(logs, folder, a_day_earlier)


def add_a_loner(folder: Path) -> None:
    """Add somebody who looks like no other, and signals that look like her."""
    moment = f"{DAYS[3]} 10:00:00"
    seen = {"user_id": "loner", **LOOK}
    write_rows(
        folder / "activity-loner.csv",
        [{**seen, "event_time": f"{DAYS[3]} 0{hour}:00:00"} for hour in range(1, 9)],
    )
    base = {"event_time": moment, "advertiser_id": "adv_01", "event_name": "purchase"}
    signals = [
        {**base, **LOOK, "signal_id": "plain"},
        {**base, **LOOK, "signal_id": "denied", "consent": "denied"},
        {**base, **BOT, "signal_id": "bot"},
    ]
    columns = list(dict.fromkeys(name for row in signals for name in row))
    write_rows(folder / "signals-loner.csv", [dict.fromkeys(columns) | row for row in signals])


@pytest.fixture
def reopen(matched: Matched, tmp_path: Path) -> Iterator[Opener]:
    """Return a function that begins a run on a copy of the warehouse."""
    shutil.copytree(matched.folder, tmp_path / "db")
    with ExitStack() as stack:

        def begin(config: Config = CONFIG) -> Run:
            path = tmp_path / "db" / "ads.duckdb"
            return Run(stack.enter_context(Warehouse.open(path)), "run", config)

        yield begin


def table(warehouse: Warehouse, name: str) -> pl.DataFrame:
    frame: pl.DataFrame = warehouse._connection.table(name).pl()
    return frame.sort(pl.all())


def tables(warehouse: Warehouse, names: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    return {name: table(warehouse, name) for name in names}


def assert_same(after: dict[str, pl.DataFrame], before: dict[str, pl.DataFrame]) -> None:
    for name, frame in before.items():
        surplus = after[name].join(frame, on=frame.columns, how="anti", nulls_equal=True)
        missing = frame.join(after[name], on=frame.columns, how="anti", nulls_equal=True)
        assert (surplus.head(3).rows(), missing.head(3).rows()) == ([], []), name
        assert len(after[name]) == len(frame) > 0


def of_model(matches: pl.DataFrame, *days: date) -> pl.DataFrame:
    """Return a model's matches, of some days only where any are given."""
    chosen = matches.filter(pl.col("method") == "model")
    return chosen.filter(pl.col("day").is_in(days)) if days else chosen


def ingest_again(run: Run, key: object, logs: Path, day: date, tmp_path: Path) -> None:
    """Read a day again whose logs of users have lost every second row."""
    folder = tmp_path / "again" / f"date={day}"
    shutil.copytree(logs / f"date={day}", folder)
    for path in (*folder.glob("activity*"), *folder.glob("touchpoints*")):
        pl.read_parquet(path).gather_every(2).write_parquet(path)
    found = LogFolder.find(folder.parent)
    run_days(run, key, [day], logs=found, stages=(Stage.INGEST, Stage.MATCH))


def test_days_matched_again_in_another_order_have_the_same_rows_and_model(reopen: Opener) -> None:
    run = reopen()
    before = tables(run.warehouse, OF_DAYS + OF_MODELS)
    assert of_model(before["matches"])["day"].n_unique() == 2
    folder = run.warehouse.path.with_name("ads.duckdb.models")
    names = sorted(path.name for path in folder.iterdir())
    assert names == before["pair_models"]["model_version"].to_list()
    shutil.rmtree(folder)  # so that it is trained again, when more days are known
    for day in (DAYS[3], DAYS[2], DAYS[1]):
        match_day(run, day)
    assert sorted(path.name for path in folder.iterdir()) == names
    assert_same(tables(run.warehouse, OF_DAYS + OF_MODELS), before)


@pytest.mark.slow
def test_logs_read_again_score_later_days_anew(matched: Matched, tmp_path: Path) -> None:
    shutil.copytree(matched.folder, tmp_path / "db")
    with open_run(tmp_path / "db" / "ads.duckdb", "run", CONFIG) as (run, key):
        before = table(run.warehouse, "matches")
        ingest_again(run, key, matched.logs, DAYS[1], tmp_path)
        after = tables(run.warehouse, OF_DAYS)
        for day in DAYS[1:]:
            match_day(run, day)
        rebuilt = tables(run.warehouse, OF_DAYS)
    assert_same(after, rebuilt)
    moved = {
        day: len(
            of_model(before, day).join(of_model(after["matches"], day), on=OF_PAIR, how="anti")
        )
        for day in DAYS[2:]
    }
    # the day after sees the activity, the last one only the signals that it had named
    assert moved[DAYS[2]] > 3 * moved[DAYS[3]] > 0


def test_an_active_model_serves_days_that_the_schedule_leaves_out(reopen: Opener) -> None:
    run = reopen()
    (version,) = table(run.warehouse, "pair_models")["model_version"]
    assert of_model(table(run.warehouse, "matches"), DAYS[1]).is_empty()
    activate(run.warehouse, version)
    match_day(run, DAYS[1])
    rows = of_model(table(run.warehouse, "matches"), DAYS[1])
    assert rows["model_version"].unique().to_list() == [version]
    assert rows["declared"].any()
    shutil.rmtree(run.warehouse.path.with_name("ads.duckdb.models"))
    with pytest.raises(ConfigError, match=f"{version}: no model can be read there"):
        match_day(run, DAYS[1])
    assert_same({"rows": of_model(table(run.warehouse, "matches"), DAYS[1])}, {"rows": rows})


def test_without_a_model_deterministic_matches_are_the_same(reopen: Opener) -> None:
    run = reopen(CONFIG.model_copy(update={"model": ModelConfig(enabled=False)}))
    before = tables(run.warehouse, ("matches", "match_conflicts"))
    named = before["matches"].filter(pl.col("method") != "model")
    for day in DAYS:
        match_day(run, day)
    after = tables(run.warehouse, ("matches", "match_conflicts"))
    assert_same(after, {"matches": named, "match_conflicts": before["match_conflicts"]})
    for name in ("match_thresholds", "blocking_days"):  # of every day by now
        assert table(run.warehouse, name).is_empty()


def test_a_signal_that_an_identifier_names_later_loses_its_candidates(matched: Matched) -> None:
    with Warehouse.open(matched.folder / "ads.duckdb", read_only=True) as warehouse:
        now = table(warehouse, "matches")
    once = of_model(matched.a_day_earlier).select("signal_id").unique()
    named = now.filter(pl.col("method") != "model").join(once, on="signal_id", how="semi")
    assert len(named) > 0
    rows = now.join(named, on="signal_id", how="semi")
    assert rows["method"].is_in(["model"]).sum() == 0
    assert len(rows) == len(named)


def test_bots_and_signals_without_consent_have_no_candidates(matched: Matched) -> None:
    with Warehouse.open(matched.folder / "ads.duckdb", read_only=True) as warehouse:
        matches = of_model(table(warehouse, "matches"))
        signals = table(warehouse, "signals")
    without = signals.filter((pl.col("consent") == "denied") | pl.col("is_bot"))
    assert len(without) > 20
    assert {"bot", "denied"} <= set(without["signal_id"])
    assert matches.join(without, on="signal_id", how="semi").is_empty()
    plain = matches.filter(pl.col("signal_id") == "plain", pl.col("rank") == 1)
    assert plain["user_id"].to_list() == ["loner"]


def test_stored_probabilities_keep_the_checks(matched: Matched) -> None:
    with Warehouse.open(matched.folder / "ads.duckdb", read_only=True) as warehouse:
        assert "match_probabilities" not in broken(warehouse)
        matches = of_model(table(warehouse, "matches"))
    totals = matches.group_by("signal_id").agg(
        pl.col("match_probability").sum(), pl.col("rank").sort(), pl.col("declared").sum()
    )
    assert totals["match_probability"].max() <= 1 + 1e-9
    assert totals["declared"].max() == 1
    assert all(rank == list(range(1, len(rank) + 1)) for rank in totals["rank"].to_list())
    assert matches["match_probability"].min() >= CONFIG.model.floor


def test_a_forgotten_user_is_named_by_no_match_and_others_signals_stay(
    matched: Matched, tmp_path: Path
) -> None:
    shutil.copytree(matched.folder, tmp_path / "db")
    db = tmp_path / "db" / "ads.duckdb"
    with Warehouse.open(db, read_only=True) as warehouse:
        before, signals = of_model(table(warehouse, "matches")), table(warehouse, "signals")
    declared = before.filter("declared")["user_id"].unique()
    beside = before.filter(~pl.col("declared") & pl.col("user_id").is_in(declared.implode()))
    user = beside["user_id"].sort()[0]

    adscribe("forget", "--user-id", user, "--db", db)

    with Warehouse.open(db, read_only=True) as warehouse:
        after, kept = table(warehouse, "matches"), table(warehouse, "signals")
        assert "match_probabilities" not in broken(warehouse)
    assert user not in after["user_id"]
    own = before.filter((pl.col("user_id") == user) & pl.col("declared"))["signal_id"]
    others = before.filter((pl.col("user_id") == user) & ~pl.col("declared"))["signal_id"]
    assert len(own) > 0 < len(others)
    for names, blanked in ((own, True), (others, False)):
        chosen = kept.filter(pl.col("signal_id").is_in(names.implode()))
        was = signals.filter(pl.col("signal_id").is_in(names.implode()))
        assert not was["user_agent"].is_null().all()
        assert chosen["user_agent"].is_null().all() == blanked
        assert blanked or chosen.equals(was)

    with Warehouse.open(db) as warehouse:
        for day in DAYS[2:]:
            match_day(Run(warehouse, "match", CONFIG), day)
        again = table(warehouse, "matches")
    assert user not in again["user_id"]
    forgotten = again.filter(pl.col("model_version") == "forgotten")
    assert set(own) <= set(forgotten["signal_id"])
