"""``adscribe evaluate`` and ``adscribe evaluate blocking``: options, JSON keys, errors, width."""

import io
import json
from datetime import date
from pathlib import Path

import duckdb
import pytest
from rich.console import Console
from typer.testing import CliRunner

import cli
import terminal.evaluations
from warehouse.errors import AdscribeError

RUNNER = CliRunner()
OLD_KEYS = {
    "signals", "of_users", "matched", "correct", "precision", "recall", "f1", "identified_of_users",
    "recall_of_identified", "calibration_ratio", "by_method",
}  # fmt: skip
INTERVALS = {
    "precision", "recall", "f1", "average_precision", "recall_at_precision_90",
    "recall_at_precision_95", "recall_at_precision_99", "calibration_ratio", "calibration_error",
    "declared_calibration_ratio", "declared_calibration_error",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small world, its warehouse and a model that judged a few signals."""
    path = tmp_path_factory.mktemp("evaluate")
    world, db = path / "world", path / "ads.duckdb"
    for words in (
        ["simulate", str(world), "--users", "4000", "--days", "2", "--seed", "5"],
        ["run", "--logs", str(world), "--db", str(db)],
    ):
        assert RUNNER.invoke(cli.app, words).exit_code == 0
    return path


@pytest.fixture(scope="module")
def modelled(folder: Path) -> Path:
    """Return a copy of the warehouse that lists a model and signals held out."""
    path = folder / "modelled.duckdb"
    path.write_bytes((folder / "ads.duckdb").read_bytes())
    with duckdb.connect(str(path)) as connection:
        connection.execute("DELETE FROM held_out_signals")
        connection.execute("DELETE FROM match_thresholds")
        names = [row[0] for row in connection.execute("DESCRIBE pair_models").fetchall()]
        told = {"model_version": "pairs-1", "trained_by": "run", "adscribe_version": "0"}
        told |= {"first_day": date(2026, 1, 5), "last_day": date(2026, 1, 6)}
        values = {name: told.get(name, 0.5) for name in names}
        columns, places = ", ".join(names), ", ".join(f"${name}" for name in names)
        connection.execute(f"INSERT INTO pair_models ({columns}) VALUES ({places})", values)  # noqa: S608
        connection.executemany(
            "INSERT INTO held_out_signals (model_version, day, advertiser_id, match_probability, "
            "expected, same, known) VALUES ('pairs-1', '2026-01-05', $1, $2, $2, $3, true)",
            [[f"adv_0{n % 3}", n / 200, n % 5 < n / 40] for n in range(200)],
        )
    return path


def adscribe(*words: object) -> str:
    """Return what a command prints, or the one-line error."""
    result = RUNNER.invoke(cli.app, [str(word) for word in words])
    if result.exit_code == 0:
        return result.stdout
    assert isinstance(result.exception, AdscribeError), result.output
    return str(result.exception)


def test_json_against_the_truth_keeps_its_keys_and_has_intervals(folder: Path) -> None:
    truth = folder / "world" / "truth_match.parquet"
    told = json.loads(
        adscribe("evaluate", "--db", folder / "ads.duckdb", "--truth", truth, "--json")
    )

    assert set(told) >= OLD_KEYS
    assert told["matched"] == sum(method["matched"] for method in told["by_method"])
    assert told["matched"] == told["all_signals"]["declared"]
    low, high = told["all_signals"]["intervals"]["precision"]
    assert low <= told["precision"] == told["all_signals"]["precision"] <= high
    assert set(told["probabilistic"]["intervals"]) == INTERVALS
    for groups in (told["by_advertiser"], told["by_shared_address"]):
        assert sum(group["signals"] for group in groups) == told["probabilistic"]["signals"]
    for name in {row["attribute"] for row in told["by_attribute"]}:
        rows = [row for row in told["by_attribute"] if row["attribute"] == name]
        assert sum(row["signals"] for row in rows) == told["signals"]
    assert 0 < told["outsiders"]["share"] < 1


def test_without_a_truth_the_model_is_judged_by_what_was_held_out(modelled: Path) -> None:
    told = json.loads(adscribe("evaluate", "--db", modelled, "--json"))

    assert told["model_version"] == "pairs-1"
    assert told["all_signals"]["signals"] == 200
    assert 0 < told["all_signals"]["average_precision"] < 1
    low, high = told["all_signals"]["intervals"]["calibration_ratio"]
    assert low < told["all_signals"]["calibration_ratio"] < high
    assert [group["group"] for group in told["by_advertiser"]] == ["adv_00", "adv_01", "adv_02"]


def test_blocking_tells_what_each_kind_of_key_brings(folder: Path) -> None:
    truth, db = folder / "world" / "truth_match.parquet", folder / "ads.duckdb"
    told = json.loads(adscribe("evaluate", "blocking", "--db", db, "--truth", truth, "--json"))
    day = json.loads(
        adscribe(
            "evaluate", "blocking", "--db", db, "--truth", truth, "--day", "2026-01-05", "--json"
        )
    )
    contacts = json.loads(adscribe("evaluate", "blocking", "--db", db, "--json"))

    assert (told["days"], day["days"]) == (2, 1)
    assert 0 < day["signals"] < told["signals"] == contacts["signals"]
    assert told["pair_completeness"] == told["found_pairs"] / told["true_pairs"]
    assert 0.9 < told["reduction_ratio"] < 1
    assert 0 < told["candidates_median"] <= told["candidates_p95"] <= told["candidates_max"]
    assert {kind["kind"] for kind in told["by_kind"]} >= {"address", "band", "network_screen"}
    assert all(kind["found_alone"] <= kind["found"] for kind in told["by_kind"])
    assert all(kind["found"] > 0 for kind in told["by_kind"] if kind["kind"] in ("address", "band"))
    found = [kind["found"] for kind in told["by_kind"]]
    assert max(found) <= told["found_pairs"] <= sum(found)
    assert (told["truth"], contacts["truth"]) == ("truth", "contacts")
    assert contacts["true_pairs"] > 0


def test_the_example_of_the_help_is_a_whole_command() -> None:
    text = " ".join(RUNNER.invoke(cli.app, ["evaluate", "--help"]).stdout.split())
    assert "Example: adscribe evaluate --db ads.duckdb --truth world/truth_match.parquet" in text


def test_a_mistake_names_its_mend(folder: Path, tmp_path: Path) -> None:
    db = tmp_path / "new.duckdb"
    with duckdb.connect(str(folder / "ads.duckdb"), read_only=True) as connection:
        models = connection.execute("SELECT count(*) FROM pair_models").fetchone()
    if models == (0,):
        told = adscribe("evaluate", "--db", folder / "ads.duckdb")
        assert "no model has been trained" in told
        assert "--truth" in told
        assert "\n" not in told
    assert "no such warehouse" in adscribe("evaluate", "--db", db)
    day = adscribe("evaluate", "blocking", "--db", folder / "ads.duckdb", "--day", "2025-01-01")
    assert "2025-01-01: not in the logs" in day
    truth = adscribe("evaluate", "blocking", "--db", folder / "ads.duckdb", "--truth", db)
    assert str(db) in truth


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate"],
        ["evaluate", "blocking"],
        ["evaluate", "--db", "x.duckdb", "blocking", "--db", "x.duckdb"],
        ["evaluate", "--db", "x.duckdb", "blocked"],
        ["evaluate", "--day", "2026-01-05"],
    ],
)
def test_wrong_usage_exits_with_2(words: list[str]) -> None:
    assert RUNNER.invoke(cli.app, words).exit_code == 2


@pytest.mark.parametrize("words", [["--truth"], [], ["blocking", "--truth"]])
def test_tables_fit_80_columns_without_loss(
    words: list[str], folder: Path, modelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    monkeypatch.setattr(terminal.evaluations, "out", lambda: console)
    words = [*words, *([str(folder / "world" / "truth_match.parquet")] if words else [])]
    command = ["evaluate", *words[:1], "--db", modelled, *words[1:]]
    if words[:1] == ["--truth"]:
        command = ["evaluate", "--db", modelled, *words]

    assert adscribe(*command) == ""

    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= 80
    assert "not shown" not in text
    assert "shortened" not in text
