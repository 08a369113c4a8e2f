"""Laws of the iPinYou importer: what is known, what is held back, and what is passed on."""

import bz2
import gzip
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from warehouse.errors import ConfigError, InputFileError
from warehouse.importers import import_ipinyou

AGENT = "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1)"


def _line(
    bid: str,
    time: str,
    *,
    kind: str = "1",
    user: str = "C4NDR12",
    agent: str = AGENT,
    region: str = "238",
    city: str = "246",
    price: str = "201",
) -> str:
    fields = [bid, time, kind, user, agent, "222.218.230.*", region, city, "1", "domain", "url"]
    fields += ["null", "slot", "300", "250", "FirstView", "Na", "0", "10722", "294", price]
    return "\t".join([*fields, "null", "2821", "10063,10077"])


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def _read(out: Path, name: str) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(path) for path in sorted(out.glob(f"date=*/{name}.parquet")))


def _two_hours(tmp_path: Path) -> Path:
    """Write four impressions: two in the earlier half of the span, two in the later."""
    return _write(
        tmp_path / "imp.txt",
        _line("b1", "20131022070000000"),
        _line("b2", "20131022073000500", user="DALL859Tuyx"),
        _line("b3", "20131022083000000"),
        _line("b4", "20131022090000000", user="DALL859Tuyx"),
    )


def test_earlier_impression_is_one_observation_and_one_touch(tmp_path: Path) -> None:
    out = tmp_path / "out"

    counts = import_ipinyou(_two_hours(tmp_path), None, out)

    assert counts == {"activity": 2, "touchpoints": 2, "signals": 2, "truth_match": 2}
    seen = _read(out, "activity").row(0, named=True)
    assert {name: value for name, value in seen.items() if value is not None} == {
        "user_id": "C4NDR12",
        "event_time": _at("2013-10-21 23:00:00"),
        "ip": "222.218.230.*",
        "user_agent": AGENT,
        "country": "CN",
        "region": "238",
        "city": "246",
        "timezone": "Asia/Shanghai",
    }
    touch = _read(out, "touchpoints").row(0, named=True)
    assert {name: value for name, value in touch.items() if value is not None} == {
        "touch_id": "b1",
        "event_time": _at("2013-10-21 23:00:00"),
        "user_id": "C4NDR12",
        "kind": "impression",
        "advertiser_id": "2821",
        "campaign_id": "2821",
        "ad_id": "10722",
        "cost": pytest.approx(0.00201, rel=1e-12),
        "currency": "CNY",
    }


def test_signal_carries_no_identifier_and_its_user_is_the_truth(tmp_path: Path) -> None:
    out = tmp_path / "out"

    import_ipinyou(_two_hours(tmp_path), None, out)

    signal = _read(out, "signals").row(0, named=True)
    assert {name: value for name, value in signal.items() if value is not None} == {
        "signal_id": "b3",
        "event_time": _at("2013-10-22 00:30:00"),
        "advertiser_id": "2821",
        "event_name": "impression",
        "ip": "222.218.230.*",
        "user_agent": AGENT,
        "country": "CN",
        "region": "238",
        "city": "246",
        "timezone": "Asia/Shanghai",
        "url": "url",
    }
    assert pl.read_parquet(out / "truth_match.parquet").rows() == [
        ("b3", "C4NDR12", None, None),
        ("b4", "DALL859Tuyx", None, None),
    ]


def test_china_time_before_eight_belongs_to_the_day_before_in_utc(tmp_path: Path) -> None:
    out = tmp_path / "out"
    log = _write(
        tmp_path / "imp.txt",
        _line("b1", "20131022075959999"),
        _line("b2", "20131022080000000"),
    )

    import_ipinyou(log, None, out)

    assert _read(out, "activity")["event_time"].to_list() == [_at("2013-10-21 23:59:59.999000")]
    assert pl.read_parquet(out / "date=2013-10-21" / "signals.parquet").height == 0
    assert pl.read_parquet(out / "date=2013-10-22" / "signals.parquet")["event_time"].to_list() == [
        _at("2013-10-22 00:00:00")
    ]


def test_click_is_told_apart_from_its_impression_and_costs_nothing_more(tmp_path: Path) -> None:
    out = tmp_path / "out"
    clicks = _write(
        tmp_path / "clk.txt",
        _line("b1", "20131022070100000", kind="2"),
        _line("b3", "20131022083100000", kind="2"),
    )

    counts = import_ipinyou(_two_hours(tmp_path), clicks, out)

    assert counts == {"activity": 2, "touchpoints": 3, "signals": 3, "truth_match": 3}
    assert _read(out, "touchpoints").select("touch_id", "kind", "currency").rows() == [
        ("b1", "impression", "CNY"),
        ("b1:click", "click", None),
        ("b2", "impression", "CNY"),
    ]
    assert _read(out, "touchpoints")["cost"].is_null().to_list() == [False, True, False]
    assert _read(out, "signals").select("signal_id", "event_name").rows() == [
        ("b3", "impression"),
        ("b3:click", "click"),
        ("b4", "impression"),
    ]


@pytest.mark.parametrize(("share", "known"), [(0.1, 1), (0.5, 2), (0.75, 2), (0.8, 3)])
def test_share_divides_the_span_of_time_and_its_end_is_later(
    tmp_path: Path, share: float, known: int
) -> None:
    counts = import_ipinyou(_two_hours(tmp_path), None, tmp_path / "out", activity_share=share)

    assert counts["activity"] == known
    assert counts["activity"] + counts["signals"] == 4


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan")])
def test_share_that_leaves_a_part_empty_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(ConfigError, match="activity_share"):
        import_ipinyou(_two_hours(tmp_path), None, tmp_path / "out", activity_share=share)


def test_repeated_bid_ids_are_all_written_and_the_truth_has_the_first(tmp_path: Path) -> None:
    out = tmp_path / "out"
    log = _write(
        tmp_path / "imp.txt",
        _line("b1", "20131022070000000"),
        _line("b2", "20131022090000000", user="second"),
        _line("b2", "20131022080000000", user="first"),
    )

    counts = import_ipinyou(log, None, out)

    assert counts == {"activity": 1, "touchpoints": 1, "signals": 2, "truth_match": 1}
    assert _read(out, "signals")["signal_id"].to_list() == ["b2", "b2"]
    assert pl.read_parquet(out / "truth_match.parquet")["user_id"].to_list() == ["first"]


def test_missing_values_and_unknown_places_are_null(tmp_path: Path) -> None:
    out = tmp_path / "out"
    bare = {"agent": "", "region": "0", "city": "0", "price": "null"}
    log = _write(
        tmp_path / "imp.txt",
        _line("b1", "20131022070000000", **bare),
        _line("b2", "20131022090000000", user="null", **(bare | {"agent": "Na"})),
    )

    counts = import_ipinyou(log, None, out)

    nulls = ["user_agent", "region", "city"]
    assert _read(out, "activity").select(nulls).row(0) == (None, None, None)
    assert _read(out, "signals").select(nulls).row(0) == (None, None, None)
    assert _read(out, "touchpoints").select("cost", "currency").row(0) == (None, None)
    # A browser without an id is unknown, which is not the same as nobody.
    assert counts["truth_match"] == 0


@pytest.mark.parametrize(
    "broken",
    [
        "b9\t20131022080000000\t1",
        _line("b9", "20131022080000000") + "\tsurplus",
        _line("b9", "20131322080000000"),
        _line("b9", "2013102208000000"),
        _line("b9", "null"),
        _line("b9", "20131022080000000", kind="3"),
        _line("b9", "20131022080000000", price="much"),
    ],
)
def test_line_that_is_no_event_is_passed_on_without_a_time(tmp_path: Path, broken: str) -> None:
    out = tmp_path / "out"
    log = _two_hours(tmp_path)
    log.write_text(f"{broken}\n\n{log.read_text()}")

    counts = import_ipinyou(log, None, out)

    assert counts == {"activity": 2, "touchpoints": 2, "signals": 3, "truth_match": 2}
    day = pl.read_parquet(out / "date=2013-10-22" / "signals.parquet")
    assert day.select("signal_id", "event_time").row(-1) == ("b9", None)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_compression_changes_nothing(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    plain = _two_hours(tmp_path)
    packed = tmp_path / "imp.packed"
    packed.write_bytes(compress(plain.read_bytes()))

    import_ipinyou(plain, None, tmp_path / "one")
    import_ipinyou(packed, None, tmp_path / "two")

    for path in sorted((tmp_path / "one").glob("**/*.parquet")):
        assert (
            path.read_bytes()
            == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
        )


def test_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    plain = _two_hours(tmp_path)
    windows = tmp_path / "windows.txt"
    windows.write_bytes(plain.read_bytes().replace(b"\n", b"\r\n"))

    assert import_ipinyou(windows, None, tmp_path / "out") == {
        "activity": 2,
        "touchpoints": 2,
        "signals": 2,
        "truth_match": 2,
    }


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a,b,c"], "line 1: 1 fields; most lines have not 24 tab-separated fields"),
        ([_line("b1", "2013-10-22 07:00")], 'line 1: "2013-10-22 07:00"; most timestamps are not'),
        ([_line("b1", "20131022070000000", kind="2")], "not of log type 1"),
        (["", _line("b", "20131022070000000"), "x"], "line 3: 1 fields"),
    ],
)
def test_file_in_another_layout_is_refused_and_nothing_is_written(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    log = _write(tmp_path / "imp.txt", *lines)

    with pytest.raises(InputFileError, match=message) as caught:
        import_ipinyou(log, None, tmp_path / "out")

    assert str(caught.value).startswith(str(log))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    short = tmp_path / "imp.gz"
    short.write_bytes(gzip.compress(_two_hours(tmp_path).read_bytes())[:-10])

    with pytest.raises(InputFileError, match="ends early"):
        import_ipinyou(short, None, tmp_path / "out")


def test_taken_folder_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="not empty"):
        import_ipinyou(_two_hours(tmp_path), tmp_path / "absent", tmp_path)


def test_every_published_event_is_accounted_for_once(data_folder: Path, tmp_path: Path) -> None:
    impressions = data_folder / "ipinyou_imp_20131021_adv2821.tsv.gz"
    clicks = data_folder / "ipinyou_clk_20131021_adv2821.tsv"
    out = tmp_path / "out"

    counts = import_ipinyou(impressions, clicks, out)

    assert counts == {
        "activity": 5779,
        "touchpoints": 5991,
        "signals": 4451,
        "truth_match": 4425,
    }
    assert counts["touchpoints"] + counts["signals"] == 10_000 + 442
    ids = pl.concat([_read(out, "touchpoints")["touch_id"], _read(out, "signals")["signal_id"]])
    assert ids.n_unique() == 9960 + 433
    assert sorted(path.name for path in out.iterdir()) == ["date=2013-10-21", "truth_match.parquet"]
    signals = _read(out, "signals")
    assert signals["event_time"].null_count() == 0
    assert signals["event_time"].max() == _at("2013-10-21 15:53:29.599000")
