"""The command line: examples of the help texts, exit codes, formats, errors."""

import bz2
import gzip
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
from typer.main import get_command
from typer.testing import CliRunner

import cli
from attribution import report_names
from matching import pair_model
from warehouse.errors import AdscribeError

RUNNER = CliRunner()
ADSCRIBE = Path(sys.executable).with_name("adscribe")
EMAIL = "jane@example.com"
LAST_DAY = "2026-01-18"  # on which the example of train ends


def _adscribe(*words: str, cwd: Path | None = None, ok: bool = True) -> str:
    """Run a command in this process; return what it printed, or the one-line error."""
    before = Path.cwd()
    try:
        os.chdir(cwd or before)
        result = RUNNER.invoke(cli.app, list(words))
    finally:
        os.chdir(before)
    if ok:
        assert result.exit_code == 0, f"{words}: {result.output} {result.exception!r}"
        return result.stdout
    assert isinstance(result.exception, AdscribeError), f"{words}: {result.output}"
    return str(result.exception)


def _examples() -> list[str]:
    found = []

    def walk(command: object) -> None:
        commands = getattr(command, "commands", None)
        example = re.search(r"Example: (.*)", getattr(command, "help", "") or "")
        if commands is None or example is not None:  # a group may be a command as well
            found.append(example[1] if example else "")
        for inner in (commands or {}).values():
            walk(inner)

    walk(get_command(cli.app))
    return found


@pytest.fixture(scope="module", autouse=True)
def few_trees() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pair_model.fit_trees.__kwdefaults__, "rounds", 20)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small world and its warehouse, in which a model was trained."""
    path = tmp_path_factory.mktemp("command_line")
    _adscribe("simulate", "small", "--users", "9000", "--days", "4", "--seed", "5", cwd=path)
    _adscribe("simulate", "later", "--users", "1500", "--days", "1", "--seed", "6",
              "--start", LAST_DAY, cwd=path)  # fmt: skip
    (path / "later" / f"date={LAST_DAY}").rename(path / "small" / f"date={LAST_DAY}")
    (path / "few.toml").write_text(
        "[model]\nenough_signals = 100\n"
        "[attribution]\nmodels = ['last_touch', 'calibrated_last_touch', 'markov', 'incremental']\n"
        "learned = {least_conversions = 20}\n"
    )
    (path / "small" / "date=2026-01-05" / "signals-refused.csv").write_text(
        "signal_id,event_time,advertiser_id,event_name,value\n"
        "refused,2026-01-05T10:00:00Z,adv_01,purchase,-1\n"
    )
    _adscribe("run", "--logs", "small", "--db", "ads.duckdb", "--config", "few.toml", cwd=path)
    return path


@pytest.fixture(scope="module")
def rows(folder: Path) -> dict[str, pl.DataFrame]:
    connection = duckdb.connect(str(folder / "ads.duckdb"), read_only=True)
    tables = {
        name: connection.sql(f"SELECT * FROM {name}").pl()  # noqa: S608 -- names fixed here
        for name in ("signals", "conversions", "credits", "conversion_signals", "runs")
    }
    connection.close()
    return tables


def test_every_command_has_an_example() -> None:
    assert len(_examples()) == 18
    assert all(_examples())


@pytest.mark.slow
@pytest.mark.parametrize("example", _examples())
def test_example_of_a_help_text_works(
    example: str, folder: Path, rows: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    conversion = rows["credits"].filter(pl.col("outcome") == "touch")["conversion_id"][0]
    if not example.startswith("adscribe simulate"):
        (tmp_path / "world").symlink_to(folder / "small")
    for name in ("ads.duckdb", "ads.duckdb.key"):  # a copy, for some change the warehouse
        shutil.copy(folder / name, tmp_path)
    shutil.copytree(folder / "ads.duckdb.models", tmp_path / "ads.duckdb.models")
    _write_public_logs(tmp_path)
    _write_payloads(tmp_path)

    words = shlex.split(example.replace("s0000000001", conversion))

    assert _adscribe(*words[1:], cwd=tmp_path)


@pytest.mark.parametrize(("words", "arms"), [((), {"control"}), (("--holdouts", "0"), set())])
def test_nobody_is_held_out_of_a_world_without_holdouts(
    words: tuple[str, ...], arms: set[str], tmp_path: Path
) -> None:
    _adscribe("simulate", "w", "--users", "400", "--days", "1", *words, cwd=tmp_path)
    (touches,) = (tmp_path / "w").glob("*/touchpoints.parquet")
    assert set(pl.read_parquet(touches)["arm"].drop_nulls()) & {"control"} == arms


def _write_public_logs(folder: Path) -> None:
    """Write tiny logs in the two published layouts, under the names of the examples."""
    line = (
        "bid{n}\t201310211{n}0000000\t{kind}\tuser{n}\tMozilla\t1.2.3.*\t1\t2\t1\tdomain\turl\tnull\t"
        "slot\t300\t250\tFirstView\tNa\t0\t10722\t294\t201\tnull\t2821\tnull\n"
    )
    impressions = "".join(line.format(n=number, kind=1) for number in range(8))
    (folder / "imp.20131021.txt.bz2").write_bytes(bz2.compress(impressions.encode()))
    click = line.format(n=7, kind=2)
    (folder / "clk.20131021.txt.bz2").write_bytes(bz2.compress(click.encode()))
    names = (
        "timestamp uid campaign conversion conversion_timestamp conversion_id attribution click "
        "click_pos click_nb cost cpo time_since_last_click cat1 cat2 cat3 cat4 cat5 cat6 cat7 cat8 "
        "cat9"
    )
    values = "10 7 3 1 500 11 1 1 0 1 0.5 0.2 -1 1 2 3 4 5 6 7 8 9"
    text = f"{names}\n{values}\n".replace(" ", "\t")
    (folder / "criteo_attribution_dataset.tsv.gz").write_bytes(gzip.compress(text.encode()))


def _write_payloads(folder: Path) -> None:
    """Write a request body to each platform, under the names of the examples."""
    user = {"email": EMAIL, "phone": "+1 555 123 4567", "ttclid": "E.C.P.1"}
    order = {"order_id": "o1", "value": 12.5, "currency": "USD"}
    paid = {"event": "CompletePayment", "event_time": 1767600000, "event_id": "e1"}
    seen = {"event": "ViewContent", "event_time": 1767690000, "event_id": "e2"}
    body = {"event_source_id": "PIXEL", "data": [paid | {"user": user, "properties": order}, seen]}
    (folder / "payloads.jsonl.gz").write_bytes(gzip.compress(json.dumps(body).encode()))
    user = {"em": [EMAIL], "ph": "+1 555 123 4567", "fbc": "fb.1.1657051589577.click"}
    paid = {"event_name": "Purchase", "event_time": 1767600000, "event_id": "e1"}
    seen = {"event_name": "PageView", "event_time": 1767690000, "event_id": "e2"}
    body = {"data": [paid | {"user_data": user, "custom_data": order}, seen]}
    (folder / "payloads.jsonl").write_text(json.dumps(body))


@pytest.mark.parametrize(
    ("example", "advertiser", "event_names"),
    [
        ("tiktok-events payloads.jsonl.gz logs", "PIXEL", ["CompletePayment", "ViewContent"]),
        (
            "meta-capi payloads.jsonl logs --advertiser-id 1234567890",
            "1234567890",
            ["Purchase", "PageView"],
        ),
    ],
)
def test_payloads_end_as_signals_of_the_warehouse(
    example: str, advertiser: str, event_names: list[str], tmp_path: Path
) -> None:
    _write_payloads(tmp_path)

    printed = _adscribe("import", *shlex.split(example), cwd=tmp_path)
    _adscribe("run", "--logs", "logs", "--db", "ads.duckdb", cwd=tmp_path)

    assert printed.split() == ["signals", "2", "rows", "written", "to", "logs"]
    with duckdb.connect(str(tmp_path / "ads.duckdb"), read_only=True) as connection:
        signals = connection.sql("SELECT * FROM signals ORDER BY event_time").pl()
        refused = connection.sql("SELECT * FROM rejected_rows").fetchall()
    assert refused == []
    assert signals["signal_id"].to_list() == ["e1", "e2"]
    assert signals["event_name"].to_list() == event_names
    assert signals["advertiser_id"].to_list() == [advertiser] * 2
    assert signals.select("order_id", "value", "currency").row(0) == ("o1", 12.5, "USD")
    assert EMAIL not in str(signals.rows())
    assert "5551234567" not in str(signals.rows())


@pytest.mark.parametrize("command", ["tiktok-events", "meta-capi"])
@pytest.mark.parametrize(
    ("payloads", "out", "says"),
    [
        ("absent.jsonl", "new", "absent.jsonl: cannot be opened"),
        ("full", "new", "full: cannot be opened"),
        ("empty.jsonl", "new", "empty.jsonl: holds no event"),
        ("text.jsonl", "new", "Give JSON lines"),
        ("cut.gz", "new", "cut short or damaged"),
        ("text.jsonl", "full", "full: the folder is not empty"),
        ("text.jsonl", "text.jsonl", "is a file, not a folder"),
    ],
)
def test_payloads_that_cannot_be_imported_are_one_line(
    command: str, payloads: str, out: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "text.jsonl").write_text("signal_id,event_time\n1,2026-01-05\n")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b'{"data": []}')[:-4])

    message = _adscribe("import", command, payloads, out, cwd=tmp_path, ok=False)

    assert says in message
    assert "\n" not in message
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", report_names())
def test_report_is_the_same_rows_in_every_format(name: str, folder: Path, tmp_path: Path) -> None:
    frames = {}
    for form, read in (("csv", pl.read_csv), ("json", pl.read_json), ("parquet", pl.read_parquet)):
        out = tmp_path / f"report.{form}"
        _adscribe(
            "report", name, "--db", str(folder / "ads.duckdb"), "--format", form, "--out", str(out)
        )
        frames[form] = read(out)

    assert frames["parquet"].height > 0
    assert frames["csv"].columns == frames["json"].columns == frames["parquet"].columns
    assert frames["csv"].height == frames["json"].height == frames["parquet"].height
    page = _adscribe("report", name, "--db", str(folder / "ads.duckdb"), "--format", "html")
    assert page.count("<tr>") == frames["parquet"].height + 1


def test_every_signal_ends_in_exactly_one_outcome(
    rows: dict[str, pl.DataFrame], folder: Path
) -> None:
    printed = _adscribe(
        "report", "signal_outcomes", "--db", str(folder / "ads.duckdb"), "--format", "json"
    )
    outcomes = pl.DataFrame(json.loads(printed))

    assert outcomes["signals"].sum() == pytest.approx(rows["signals"].height, abs=1e-4)
    assert outcomes["conversions"].sum() == pytest.approx(rows["conversions"].height, abs=1e-4)
    assert set(outcomes["outcome"]) <= {"touch", "organic", "unmatched", "rejected"}


def test_run_prints_json_for_programs(folder: Path, tmp_path: Path) -> None:
    printed = _adscribe("run", "--logs", str(folder / "small"), "--db", str(tmp_path / "a.duckdb"),
                        "--day", "2026-01-06", "--json")  # fmt: skip
    answer = json.loads(printed)

    assert [row["log_day"] for row in answer["days"]] == ["2026-01-06"]
    assert answer["run_id"]


def test_explanations_as_json_agree_with_the_tables(
    folder: Path, rows: dict[str, pl.DataFrame]
) -> None:
    credit = rows["credits"].filter(pl.col("outcome") == "touch").row(0, named=True)
    db = str(folder / "ads.duckdb")

    told = json.loads(
        _adscribe("explain", "conversion", credit["conversion_id"], "--db", db, "--json")
    )
    signal = json.loads(
        _adscribe("explain", "match", credit["conversion_id"], "--db", db, "--json")
    )

    won = [touch["touch_id"] for touch in told["touches"] if touch["reason"] == "won"]
    assert won == [credit["touch_id"]]
    assert {row["user_id"] for row in told["credits"]} == {credit["user_id"]}
    followed = [row["user_id"] for row in signal["identifiers"] if row["outcome"] == "followed"]
    assert len(followed) <= 1
    assert signal["signal_id"] == credit["conversion_id"]


def test_evaluation_prints_the_figures_that_programs_read(folder: Path) -> None:
    db, truth = str(folder / "ads.duckdb"), str(folder / "small" / "truth_match.parquet")

    figures = json.loads(_adscribe("evaluate", "--db", db, "--truth", truth, "--json"))

    assert {"precision", "recall", "f1", "signals", "matched", "by_method"} <= set(figures)
    assert 0.9 < figures["precision"] <= 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["report", "campain_credit", "--db", "ads.duckdb"], 'did you mean "campaign_credit"'),
        (["report", "match_rate", "--db", "none.duckdb"], "no such warehouse"),
        (["run", "--logs", "nowhere", "--db", "ads.duckdb"], "no such folder"),
        (
            ["run", "--logs", "small", "--db", "ads.duckdb", "--day", "2025-01-01"],
            "not in the logs",
        ),
        (["run", "--logs", "small", "--db", "ads.duckdb", "--models", "last_tuch"], "last_touch"),
        (
            [
                "run",
                "--logs",
                "small",
                "--db",
                "x.duckdb",
                "--from",
                "2026-01-07",
                "--to",
                "2026-01-05",
            ],
            "lies after",
        ),
        (["explain", "match", "nobody", "--db", "ads.duckdb"], 'no signal "nobody"'),
        (["explain", "conversion", "nothing", "--db", "ads.duckdb"], 'no conversion "nothing"'),
        (["evaluate", "--db", "ads.duckdb", "--truth", "ads.duckdb"], "Parquet"),
        (["simulate", "small"], "small"),
        (["report", "match_rate", "--db", "ads.duckdb", "--out", "x.txt"], "--format"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_mend(
    words: list[str], says: str, folder: Path
) -> None:
    message = _adscribe(*words, cwd=folder, ok=False)

    assert says in message
    assert "\n" not in message


def test_exit_codes_are_0_done_1_error_2_usage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def code(*words: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["adscribe", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return left.value.code, capsys.readouterr().err

    monkeypatch.chdir(folder)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the handlers stay those of pytest
    assert code("--version") == (0, "")
    assert code("report", "match_rate", "--db", "ads.duckdb") == (0, "")
    failed, message = code("report", "nothing", "--db", "ads.duckdb")
    assert failed == 1
    assert message.startswith("adscribe: ")
    assert message.count("\n") == 1
    done = subprocess.run(
        [ADSCRIBE, "report", "nothing", "--db", "ads.duckdb"], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message)
    assert code("report", "--db", "ads.duckdb")[0] == 2
    assert code("run", "--logs", "small", "--db", "x.duckdb", "--day", "tomorrow")[0] == 2
