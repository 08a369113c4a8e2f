"""Laws of the Criteo importer: both layouts, and the files it refuses."""

import gzip
import tempfile
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.errors import InputFileError
from warehouse.importers import import_criteo

CATEGORIES = "\t".join(f"cat{number}" for number in range(1, 10))
LOG_HEADER = (
    "timestamp\tuid\tcampaign\tconversion\tconversion_timestamp\tconversion_id\tattribution\tclick"
    f"\tclick_pos\tclick_nb\tcost\tcpo\ttime_since_last_click\t{CATEGORIES}"
)
JOURNEY_HEADER = "split,user,converted,times,campaigns,costs,cpo"


def _impression(
    time: object,
    user: object,
    campaign: object = 7,
    *,
    conversion: tuple[object, object] | None = None,
    click: object = 0,
    cost: object = 0.25,
) -> str:
    when, number = conversion or (-1, -1)
    fields = [time, user, campaign, int(conversion is not None), when, number, 1, click, -1, -1]
    return "\t".join(map(str, [*fields, cost, 99.5, -1, *range(9)]))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def _read(out: Path, name: str) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(path) for path in sorted(out.glob(f"date=*/{name}.parquet")))


def _known(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if value is not None}


def test_line_of_the_log_is_one_touch_and_its_click_is_its_kind(tmp_path: Path) -> None:
    out = tmp_path / "out"
    log = _write(
        tmp_path / "log.tsv",
        LOG_HEADER,
        _impression(0, 20_073_966, 22_589_171),
        _impression(86_400, 20_073_966, 884_761, click=1, cost=1e-05),
    )

    counts = import_criteo(log, out)

    assert counts == {"activity": 1, "touchpoints": 2, "signals": 0, "truth_match": 0}
    first, second = map(_known, _read(out, "touchpoints").rows(named=True))
    assert first == {
        "touch_id": "criteo-20073966:1",
        "event_time": _at("2017-01-01 00:00:00"),
        "user_id": "criteo-20073966",
        "kind": "impression",
        "advertiser_id": "criteo",
        "campaign_id": "22589171",
        "cost": 0.25,
    }
    assert second == first | {
        "touch_id": "criteo-20073966:2",
        "event_time": _at("2017-01-02 00:00:00"),
        "kind": "click",
        "campaign_id": "884761",
        "cost": 1e-05,
    }


def test_conversion_of_the_log_is_one_signal_at_its_own_time(tmp_path: Path) -> None:
    out = tmp_path / "out"
    log = _write(
        tmp_path / "log.tsv",
        LOG_HEADER,
        _impression(5, 1, conversion=(90_000, 555)),
        _impression(6, 1, conversion=(90_000, 555)),
        _impression(7, 2),
        _impression(8, 1, conversion=(95_000, 556)),
    )

    counts = import_criteo(log, out, start=date(2020, 2, 28))

    assert counts == {"activity": 2, "touchpoints": 4, "signals": 2, "truth_match": 2}
    assert [_known(row) for row in _read(out, "activity").rows(named=True)] == [
        {
            "user_id": f"criteo-{user}",
            "event_time": _at(f"2020-02-28 00:00:0{second}"),
            "cookie_id": f"cookie-{user}",
        }
        for user, second in [(1, 5), (2, 7)]
    ]
    assert _known(_read(out, "signals").row(0, named=True)) == {
        "signal_id": "criteo-conversion:555",
        "event_time": _at("2020-02-29 01:00:00"),
        "advertiser_id": "criteo",
        "event_name": "purchase",
        "order_id": "555",
        "cookie_id": "cookie-1",
    }
    # The second day has conversions only, and still all of the logs.
    assert pl.read_parquet(out / "date=2020-02-29" / "touchpoints.parquet").height == 0
    assert pl.read_parquet(out / "truth_match.parquet").rows() == [
        ("criteo-conversion:555", "criteo-1", None, None),
        ("criteo-conversion:556", "criteo-1", None, None),
    ]


def test_conversion_id_of_two_users_is_written_for_each_and_the_truth_has_the_first(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    log = _write(
        tmp_path / "log.tsv",
        LOG_HEADER,
        _impression(5, 1, conversion=(50, 555)),
        _impression(6, 2, conversion=(50, 555)),
    )

    counts = import_criteo(log, out)

    assert counts == {"activity": 2, "touchpoints": 2, "signals": 2, "truth_match": 1}
    assert _read(out, "signals")["cookie_id"].to_list() == ["cookie-1", "cookie-2"]
    assert pl.read_parquet(out / "truth_match.parquet")["user_id"].to_list() == ["criteo-1"]


def test_journey_is_its_impressions_and_converts_a_second_after_the_last(tmp_path: Path) -> None:
    out = tmp_path / "out"
    journeys = _write(
        tmp_path / "journeys.csv",
        JOURNEY_HEADER,
        "train,4,0,2 41449 86401,8 3 8,,",
        "train,9,1,86399 86399,6 6,1.5 2.5,3",
        "test,4,1,90000,5,,",
    )

    counts = import_criteo(journeys, out)

    assert counts == {"activity": 2, "touchpoints": 6, "signals": 2, "truth_match": 2}
    touches = _read(out, "touchpoints").sort("touch_id")
    assert touches.select("touch_id", "event_time", "campaign_id", "kind").rows() == [
        ("criteo-4:1", _at("2017-01-01 00:00:02"), "8", "impression"),
        ("criteo-4:2", _at("2017-01-01 11:30:49"), "3", "impression"),
        ("criteo-4:3", _at("2017-01-02 00:00:01"), "8", "impression"),
        ("criteo-4:4", _at("2017-01-02 01:00:00"), "5", "impression"),
        ("criteo-9:1", _at("2017-01-01 23:59:59"), "6", "impression"),
        ("criteo-9:2", _at("2017-01-01 23:59:59"), "6", "impression"),
    ]
    assert touches["cost"].null_count() == 6
    assert [_known(row) for row in _read(out, "signals").rows(named=True)] == [
        {
            "signal_id": f"criteo-{user}:conversion:1",
            "event_time": time,
            "advertiser_id": "criteo",
            "event_name": "purchase",
            "cookie_id": f"cookie-{user}",
        }
        for user, time in [(9, _at("2017-01-02 00:00:00")), (4, _at("2017-01-02 01:00:01"))]
    ]


_PATHS = st.lists(
    st.lists(
        st.tuples(st.integers(0, 200_000), st.integers(0, 9)),
        min_size=1,
        max_size=4,
        unique_by=lambda impression: impression[0],
    ).map(sorted),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25, deadline=None)
@given(paths=_PATHS)
def test_both_layouts_of_the_same_paths_give_the_same_touches(
    paths: list[list[tuple[int, int]]],
) -> None:
    rows = sorted((time, user, ad) for user, path in enumerate(paths) for time, ad in path)
    journeys = [
        f"train,{user},0,{' '.join(str(t) for t, _ in path)},{' '.join(str(c) for _, c in path)},,"
        for user, path in enumerate(paths)
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = _write(folder / "log.tsv", LOG_HEADER, *(_impression(*row) for row in rows))
        table = _write(folder / "journeys.csv", JOURNEY_HEADER, *journeys)

        counts = import_criteo(log, folder / "a"), import_criteo(table, folder / "b")

        touches = [
            _read(folder / out, "touchpoints").drop("cost").sort("touch_id").rows() for out in "ab"
        ]
        seen = [_read(folder / out, "activity").sort("user_id").rows() for out in "ab"]
    assert counts[0] == counts[1]
    assert counts[0]["touchpoints"] == len(rows)
    assert touches[0] == touches[1]
    assert seen[0] == seen[1]


def test_bidders_forecast_reaches_no_log(tmp_path: Path) -> None:
    lines = [_impression(1, 1, conversion=(9, 5)), _impression(2, 2)]
    changed = [line.replace("\t99.5\t", "\t0.125\t") for line in lines]
    journeys = ["train,4,1,2 3,8 3,{},{}".format(*costs) for costs in [("", ""), ("7 7", "1")]]
    cases = {
        "log": (LOG_HEADER, lines, changed),
        "journeys": (JOURNEY_HEADER, journeys[:1], journeys[1:]),
    }
    for name, (header, one, two) in cases.items():
        import_criteo(_write(tmp_path / "one", header, *one), tmp_path / f"{name}-1")
        import_criteo(_write(tmp_path / "two", header, *two), tmp_path / f"{name}-2")

        files = sorted((tmp_path / f"{name}-1").glob("**/*.parquet"))
        assert len(files) == 4
        for path in files:
            twin = tmp_path / f"{name}-2" / path.relative_to(tmp_path / f"{name}-1")
            assert path.read_bytes() == twin.read_bytes()


def test_compression_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    text = f"{LOG_HEADER}\n{_impression(1, 1, conversion=(9, 5))}\n".encode()
    packed = tmp_path / "log.tsv.gz"
    packed.write_bytes(gzip.compress(text.replace(b"\n", b"\r\n"), mtime=0))
    plain = tmp_path / "log.tsv"
    plain.write_bytes(text)

    import_criteo(packed, tmp_path / "one")
    import_criteo(plain, tmp_path / "two")

    for path in sorted((tmp_path / "one").glob("**/*.parquet")):
        twin = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == twin.read_bytes()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a,b"], 'line 1: the header is "a,b". Give a file in a known layout: the published log'),
        ([JOURNEY_HEADER.replace(",", "\t")], "line 1: the header is"),
        ([LOG_HEADER], "has a header but no rows"),
        ([LOG_HEADER, _impression("x", 1)], 'line 2, column timestamp: "x" is not a whole number'),
        ([LOG_HEADER, _impression(1, 1), _impression(-5, 1)], 'line 3, column timestamp: "-5"'),
        ([LOG_HEADER, _impression(1_483_228_800, 1)], "within a year of the start"),
        ([LOG_HEADER, _impression(1, "")], "line 2, column uid: nothing is not an id"),
        ([LOG_HEADER, _impression(1, 1, click=2)], 'column click: "2" is not 0 or 1'),
        ([LOG_HEADER, _impression(1, 1, cost="free")], 'column cost: "free" is not a number'),
        (
            [LOG_HEADER, _impression(1, 1, conversion=(9, -1))],
            'column conversion_id: "-1" is not the id of a conversion',
        ),
        (
            [LOG_HEADER, _impression(1, 1, conversion=(-1, 9))],
            'column conversion_timestamp: "-1" is not a whole number',
        ),
        ([LOG_HEADER, _impression(1, 1), "5\t1"], "line 3: 2 fields, but the header has 22"),
        (
            [LOG_HEADER, _impression(1, 1), _impression(1, 1) + "\t1"],
            "line 3: 23 fields, but the header has 22",
        ),
        (
            [JOURNEY_HEADER, "train,1,0,2 3,8 8,,", "train,1,0,2 3,8 8 8,,"],
            "line 3, column campaigns: .* is not as long a list as times",
        ),
        ([JOURNEY_HEADER, "train,1,0,2 3,8,8,,"], "line 2: 8 fields, but the header has 7"),
        ([JOURNEY_HEADER, "", "train,1,0,2,8,,"], "line 2: 1 fields, but the header has 7"),
        ([JOURNEY_HEADER, "train,1,0,,,,"], "line 2, column campaigns: nothing is not"),
        ([JOURNEY_HEADER, "train,1,0,2 3.5,8 8,,"], 'line 2, column times: "3.5" is not a whole'),
        ([JOURNEY_HEADER, "train,1,0,2  3,8 8 8,,"], 'line 2, column times: "" is not a whole'),
        ([JOURNEY_HEADER, "train,1,0,2 3,8 ,,"], 'line 2, column campaigns: "" is not'),
        ([JOURNEY_HEADER, "train,1,2,2 3,8 8,,"], 'line 2, column converted: "2" is not 0 or 1'),
        ([JOURNEY_HEADER, "train,,0,2 3,8 8,,"], "line 2, column user: nothing is not an id"),
    ],
)
def test_inconsistent_file_is_refused_at_its_line_and_nothing_is_written(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    path = _write(tmp_path / "file", *lines)

    with pytest.raises(InputFileError, match=message.replace("(", r"\(")) as caught:
        import_criteo(path, tmp_path / "out")

    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (b"", "is empty"),
        (gzip.compress(JOURNEY_HEADER.encode(), mtime=0)[:-3], "ends early"),
        (f"{JOURNEY_HEADER}\ntrain,".encode() + b"\xff,0,2 3,8 8,,\n", "line 2: byte 0xff is not"),
    ],
)
def test_damaged_file_is_refused(tmp_path: Path, stored: bytes, message: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(stored)

    with pytest.raises(InputFileError, match=message):
        import_criteo(path, tmp_path / "out")


def test_taken_folder_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")

    with pytest.raises(InputFileError, match="not empty"):
        import_criteo(tmp_path / "absent", tmp_path)


def test_every_published_journey_is_imported_whole(data_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    counts = import_criteo(data_folder / "criteo_journeys_train.csv.gz", out)

    assert counts == {
        "activity": 157_332,
        "touchpoints": 643_987,
        "signals": 16_400,
        "truth_match": 16_400,
    }
    assert len(list(out.glob("date=*"))) == 31
    assert _read(out, "touchpoints")["touch_id"].n_unique() == 643_987
    signals = _read(out, "signals")
    assert signals["signal_id"].n_unique() == 16_400
    truth = pl.read_parquet(out / "truth_match.parquet")
    cookies = _read(out, "activity").select("cookie_id", seen_user="user_id")
    linked = signals.join(cookies, on="cookie_id").join(truth, on="signal_id")
    assert linked.height == 16_400
    assert linked.filter(pl.col("seen_user") != pl.col("user_id")).is_empty()
