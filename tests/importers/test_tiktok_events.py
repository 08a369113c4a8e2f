"""Laws of the TikTok importer, on payloads written after the documentation of the Events API."""

import base64
import gzip
import hashlib
import json
import math
import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.conform import conform
from warehouse.errors import InputFileError
from warehouse.importers import event_payloads, import_tiktok_events
from warehouse.importers.event_values import moment
from warehouse.logs import LogFile
from warehouse.schemas import TABLES

EMAIL = hashlib.sha256(b"jane@example.com").hexdigest()
PHONE = hashlib.sha256(b"+15551234567").hexdigest()
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
MOMENT = datetime.fromisoformat("2026-01-05 08:00:00")


def _event(**changes: object) -> dict[str, object]:
    """Return a web event of version 2.0."""
    return {
        "event": "CompletePayment",
        "event_time": 1767600000,
        "event_id": "e1",
        "user": {
            "email": EMAIL,
            "phone": [PHONE, EMAIL],
            "external_id": ["c" * 64],
            "ttclid": "E.C.P.x-Y_1",
            "ttp": "2F7h37YkS1j57AYSKTI7IHhJPYH",
            "ip": "203.0.113.7",
            "user_agent": AGENT,
            "locale": "en-US",
        },
        "properties": {
            "order_id": "o1",
            "value": 39.98,
            "currency": "usd",
            "contents": [{"content_id": "1077218", "price": 19.99, "quantity": 2}],
        },
        "page": {"url": "https://shop.example/thanks?email=jane@example.com#top"},
    } | changes


def _body(*events: object) -> dict[str, object]:
    return {"event_source": "web", "event_source_id": "COQDA8RC77U2", "data": list(events)}


def _write(path: Path, *lines: object) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def _read(out: Path) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(path) for path in sorted(out.glob("date=*/signals.parquet")))


def _import(tmp_path: Path, *lines: object, **options: str) -> pl.DataFrame:
    log = _write(tmp_path / "payloads.jsonl", *lines)
    import_tiktok_events(log, tmp_path / "out", **options)
    return _read(tmp_path / "out")


def _present(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if value is not None}


def test_event_of_version_2_becomes_a_signal(tmp_path: Path) -> None:
    signals = _import(tmp_path, _body(_event()))

    assert dict(signals.schema) == TABLES["signals"].columns
    assert _present(signals.row(0, named=True)) == {
        "signal_id": "e1",
        "event_time": MOMENT,
        "advertiser_id": "COQDA8RC77U2",
        "event_name": "CompletePayment",
        "order_id": "o1",
        "value": 39.98,
        "currency": "USD",
        "click_id": "E.C.P.x-Y_1",
        "cookie_id": "2F7h37YkS1j57AYSKTI7IHhJPYH",
        "external_id": "c" * 64,
        "email": EMAIL,
        "phone": PHONE,
        "ip": "203.0.113.7",
        "user_agent": AGENT,
        "language": "en-US",
        "url": "https://shop.example/thanks",
    }


def test_older_event_keeps_the_same_in_its_context(tmp_path: Path) -> None:
    older = {
        "event": "CompletePayment",
        "event_id": "e1",
        "timestamp": "2026-01-05T09:00:00+01:00",
        "context": {
            "ad": {"callback": "E.C.P.x-Y_1"},
            "page": {"url": "https://shop.example/thanks", "referrer": "https://x.example"},
            "user": {
                "external_id": "c" * 64,
                "email": EMAIL,
                "phone_number": PHONE,
                "ttp": "2F7h37YkS1j57AYSKTI7IHhJPYH",
                "locale": "en-US",
            },
            "ip": "203.0.113.7",
            "user_agent": AGENT,
        },
        "properties": {"order_id": "o1", "value": "39.98", "currency": "USD"},
    }
    single = {"pixel_code": "COQDA8RC77U2", **older}
    batch = {"pixel_code": "COQDA8RC77U2", "batch": [{"type": "track", **older}]}

    signals = _import(tmp_path, _body(_event()), single, batch)

    assert signals.height == 3
    assert signals.n_unique() == 1


@pytest.mark.parametrize(
    "source", ["event_source_id", "pixel_code", "event_set_id", "tiktok_app_id"]
)
def test_advertiser_is_the_source_unless_one_is_given(tmp_path: Path, source: str) -> None:
    log = _write(tmp_path / "log", {source: "S1", **_event()}, {source: "S1", "batch": [_event()]})

    import_tiktok_events(log, tmp_path / "out")
    import_tiktok_events(log, tmp_path / "given", advertiser_id="shop-7")

    assert _read(tmp_path / "out")["advertiser_id"].to_list() == ["S1", "S1"]
    assert _read(tmp_path / "given")["advertiser_id"].to_list() == ["shop-7", "shop-7"]


def test_app_event_has_its_device_id(tmp_path: Path) -> None:
    older = {"device": {"platform": "iOS", "idfa": "AAAA-1"}, "ip": "203.0.113.7"}
    signals = _import(
        tmp_path,
        _body(_event(user={"gaid": "38400000-8cf0"}, event_id="a")),
        {"tiktok_app_id": "7", "event": "Login", "event_time": 1767600001, "context": older},
    )

    assert signals["device_id"].to_list() == ["38400000-8cf0", "AAAA-1"]


def _as_is(content: bytes) -> bytes:
    return content


def _zstandard(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content))


@pytest.mark.parametrize("pack", [_as_is, gzip.compress, _zstandard])
@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz", "log.zst"])
def test_contents_not_the_name_tell_the_compression(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    log = tmp_path / name
    part = f"{json.dumps(_body(_event(), _event()))}\n".encode()
    log.write_bytes(pack(part) + pack(part))

    assert import_tiktok_events(log, tmp_path / "out") == {"signals": 4}


def test_rows_are_the_same_in_however_many_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [_event(event_id=str(number)) for number in range(25)]
    log = _write(tmp_path / "log", *(_body(event, event) for event in events))
    import_tiktok_events(log, tmp_path / "one")

    monkeypatch.setattr(event_payloads, "_BATCH_ROWS", 3)
    import_tiktok_events(log, tmp_path / "many")

    assert _read(tmp_path / "many").equals(_read(tmp_path / "one"))
    assert _read(tmp_path / "many").height == 50


@pytest.mark.parametrize("pack", [gzip.compress, _zstandard])
def test_file_that_is_cut_short_is_refused_and_nothing_is_written(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(pack(json.dumps(_body(_event())).encode())[:-3])

    with pytest.raises(InputFileError, match="is cut short or damaged") as caught:
        import_tiktok_events(log, tmp_path / "out")

    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_line_or_event_that_is_none_says_only_where_it_stood(tmp_path: Path) -> None:
    signals = _import(
        tmp_path,
        "\ufeff" + json.dumps(_body(_event(), "jane@example.com", {"name": "jane@example.com"})),
        "jane@example.com is no JSON",
        "   ",
        '{"jane@example.com": 1}',
        '["jane@example.com"]',
        "[" * 100_000,
    )

    junk = signals.filter(pl.col("event_time").is_null())
    assert [list(_present(row).values()) for row in junk.iter_rows(named=True)] == [
        ["line 1, event 2"], ["line 1, event 3"], ["line 2"], ["line 4"], ["line 5"], ["line 6"],
    ]  # fmt: skip
    assert signals.height == 7
    assert _refusals(signals) == ["event_time.missing"] * 6


@pytest.mark.parametrize("depth", [500, 980, 5000, 50_000])
@pytest.mark.parametrize("key", ["event_id", "limited_data_use", "other"])
def test_event_that_is_nested_deep_is_a_row_like_any(tmp_path: Path, key: str, depth: int) -> None:
    deep = json.dumps({"event": "x", key: "deep"}).replace('"deep"', "[" * depth + "]" * depth)

    assert _import(tmp_path, _body(_event()), deep).height == 2


@pytest.mark.parametrize("pack", [_as_is, gzip.compress, _zstandard])
def test_pipe_is_read_from_its_first_byte(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    lines = "".join(f"{json.dumps(_body(_event(event_id=str(n))))}\n" for n in range(200))
    writer = threading.Thread(target=pipe.write_bytes, args=(pack(lines.encode()),))
    writer.start()

    rows = import_tiktok_events(pipe, tmp_path / "out")

    writer.join()
    assert rows == {"signals": 200}


def test_line_that_is_not_utf8_is_passed_on_without_its_content(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(json.dumps(_body(_event())).encode() + b'\n{"event": "caf\xe9"}\n')

    import_tiktok_events(log, tmp_path / "out")

    assert _read(tmp_path / "out")["signal_id"].to_list() == ["e1", "line 2"]


@pytest.mark.parametrize("time", [None, "yesterday", True, "NaN", "inf", {}])
def test_event_without_a_time_goes_to_the_first_day(tmp_path: Path, time: object) -> None:
    later = _event(event_time=1767600000 + 86400)

    _import(tmp_path, _body(later, _event(), _event(event_id="e2", event_time=time)))

    first = pl.read_parquet(tmp_path / "out" / "date=2026-01-05" / "signals.parquet")
    assert first.select("signal_id", "event_time").rows() == [("e1", MOMENT), ("e2", None)]


@pytest.mark.parametrize(
    ("time", "kept"),
    [
        (0, "1970-01-01"),
        (20260105, "1970-08-23T11:48:25"),
        (4102444800, "2100-01-01"),
        (-1e300, "0001-01-01"),
        (1e300, "9999-12-31"),
        (1767600000000, "9999-12-31"),
        ("1767600000000000", "9999-12-31"),
    ],
)
def test_time_in_no_year_of_the_logs_is_refused_on_the_first_day(
    tmp_path: Path, time: object, kept: str
) -> None:
    _import(tmp_path, _body(_event(), _event(event_id="e2", event_time=time)))

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["date=2026-01-05"]
    signals = _read(tmp_path / "out").sort("signal_id")
    assert signals["event_time"].to_list() == [MOMENT, datetime.fromisoformat(kept)]
    after = signals["event_time"].item(1) > MOMENT
    assert _refusals(signals) == [
        "event_time_after_log_day" if after else "event_time.out_of_range"
    ]


def test_times_in_milliseconds_are_told_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    late = [_event(event_id=str(n), event_time=1767600000000 + n) for n in range(3)]

    _import(tmp_path, _body(_event(), _event(event_id="0s", event_time=0), *late))

    (line,) = caplog.messages
    assert "event times after the year 9999: 3." in line
    assert "milliseconds" in line


def test_days_are_days_in_utc(tmp_path: Path) -> None:
    _import(
        tmp_path,
        _body(_event(event_time="2026-01-05T23:30:00-01:00"), _event(event_time="2026-01-05")),
    )

    days = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert days == ["date=2026-01-05", "date=2026-01-06"]
    assert [path.name for path in (tmp_path / "out" / days[0]).iterdir()] == ["signals.parquet"]


def test_no_raw_email_or_phone_is_written(tmp_path: Path) -> None:
    user = {
        "email": [" Jane@Example.COM "],
        "phone": "+1 (555) 123-4567",
        "external_id": "jane@example.com",
        "ttp": "tel:+15551234567",
        "user_agent": "Shop/1 (jane@example.com)",
        "city": "jane@example.com",
        "ip": "jane@example.com",
    }
    page = {"url": "https://shop.example/jane%40example.com/x?ttclid=E.C.P.q&e=jane@example.com"}
    signals = _import(
        tmp_path,
        _body(_event(user=user, page=page, event_id="jane@example.com", event="jane@example.com")),
    )

    row = signals.row(0, named=True)
    assert (row["email"], row["phone"], row["click_id"]) == (EMAIL, PHONE, "E.C.P.q")
    assert row["signal_id"] == row["external_id"] == row["event_name"] == EMAIL
    written = json.dumps(row, default=str).lower()
    assert "jane" not in written
    assert "5551234" not in written


def _contacts(tmp_path: Path, **user: object) -> tuple[str | None, str | None]:
    signals = _import(tmp_path, _body(_event(user=user)))
    email, phone = signals.select("email", "phone").row(0)
    return email, phone


@pytest.mark.parametrize(
    ("sent", "kept", "reason"),
    [
        (EMAIL.upper(), EMAIL, None),
        (base64.b64encode(bytes.fromhex(EMAIL)).decode(), EMAIL, None),
        ("5d41402abc4b2a76b9719d911017c592", None, "unsupported hash 1"),
        (7, None, "malformed 1"),
        ("test@test.com", None, "placeholder 1"),
        ("jane doe@example.com", None, "space inside 1"),
        (hashlib.sha256(b"").hexdigest(), None, "hash of nothing 1"),
        ([None, {}, "nobody", "Jane@Example.com", PHONE], EMAIL, "malformed 1"),
        (["nobody", "test@test.com", "no.one"], None, "malformed 2, placeholder 1"),
        ([], None, None),
        (None, None, None),
        ("J.Ane+tag@GMail.com", hashlib.sha256(b"j.ane+tag@gmail.com").hexdigest(), None),
    ],
)
def test_email_is_the_first_that_the_recipe_takes(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    sent: object,
    kept: str | None,
    reason: str | None,
) -> None:
    assert _contacts(tmp_path, email=sent) == (kept, None)
    total = sum(int(word) for word in (reason or "").replace(",", "").split() if word.isdigit())
    lines = [f"{tmp_path / 'payloads.jsonl'}: e-mails refused {total} ({reason})"]
    assert caplog.messages == (lines if reason else [])


@pytest.mark.parametrize(
    ("sent", "country", "kept", "reason"),
    [
        ("(415) 555-2671", "us", b"+14155552671", None),
        ("(415) 555-2671", "United States", b"+14155552671", None),
        ("(415) 555-2671", None, None, "no country 1"),
        ("(415) 555-2671", hashlib.sha256(b"us").hexdigest(), None, "no country 1"),
        ("0151 12345678", ["DE"], b"+4915112345678", None),
        ("0015551234567", None, b"+15551234567", None),
        ("+1.555.123.4567", None, b"+15551234567", None),
        (15551234567, "US", b"+15551234567", None),
        ("12345", "us", None, "impossible number 1"),
        ("n/a", "us", None, "malformed 1"),
        ("+10000000000", "us", None, "placeholder 1"),
        (["none", "+1 555 123 4567"], None, b"+15551234567", "malformed 1"),
    ],
)
def test_phone_is_digested_as_tiktok_has_it_done(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    sent: object,
    country: object,
    kept: bytes | None,
    reason: str | None,
) -> None:
    digest = hashlib.sha256(kept).hexdigest() if kept else None
    assert _contacts(tmp_path, phone=sent, country=country) == (None, digest)
    assert [line.partition("phones refused 1 ")[2] for line in caplog.messages] == (
        [f"({reason})"] if reason else []
    )


def test_refusals_of_all_batches_are_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_payloads, "_BATCH_ROWS", 3)
    bad = [_event(user={"email": "nobody", "phone_number": "5551234"}) for _ in range(10)]

    _import(tmp_path, *map(_body, bad), _body(_event(user={"email": "test@test.com"})))

    (line,) = caplog.messages
    assert line.endswith(
        ": e-mails refused 11 (malformed 10, placeholder 1); phones refused 10 (no country 10)"
    )


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("us", "US"), (["De"], "DE"), ("United States", "US"), ("DEU", "DE"), ("XX", "XX"),
     ("nowhere", None), (hashlib.sha256(b"us").hexdigest(), None), (None, None), ({}, None)],
)  # fmt: skip
def test_country_is_two_capital_letters(tmp_path: Path, sent: object, kept: str | None) -> None:
    assert _import(tmp_path, _body(_event(user={"country": sent})))["country"].to_list() == [kept]


def test_event_without_an_id_gets_one_of_its_content(tmp_path: Path) -> None:
    event = _event(event_id=None)
    reordered = dict(reversed(event.items()))

    signals = _import(tmp_path, _body(event, _event(event_id="", event_time=1767600001)))
    import_tiktok_events(_write(tmp_path / "again", _body(reordered)), tmp_path / "b")

    first, second = signals["signal_id"].to_list()
    assert first.startswith("event-")
    assert first != second
    assert _read(tmp_path / "b")["signal_id"].to_list() == [first]


def test_repeated_event_is_written_each_time_under_one_id(tmp_path: Path) -> None:
    signals = _import(tmp_path, _body(_event()), _body(_event()))

    assert signals["signal_id"].to_list() == ["e1", "e1"]


def test_id_that_two_kinds_of_event_share_is_told_apart(tmp_path: Path) -> None:
    signals = _import(
        tmp_path, _body(_event(), _event(event="AddToCart"), _event(event_id="e2"), _event())
    )

    assert signals["signal_id"].to_list() == [
        "e1:CompletePayment", "e1:AddToCart", "e2", "e1:CompletePayment",
    ]  # fmt: skip


def test_id_that_two_advertisers_share_is_told_apart(tmp_path: Path) -> None:
    other = {"event_source_id": "OTHER", "data": [_event()]}

    signals = _import(tmp_path, _body(_event()), other)

    assert signals["signal_id"].to_list() == ["e1:COQDA8RC77U2", "e1:OTHER"]


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({"value": "12.5"}, 12.5),
        ({"value": 0}, 0.0),
        ({"contents": [{"price": 2.5, "quantity": 3}, {"price": 1}]}, 8.5),
        ({"contents": [{"price": 2.5}, {"content_id": "1"}]}, None),
        ({"contents": [{"price": "free"}]}, None),
        ({"contents": []}, None),
        (None, None),
        ([], None),
    ],
)
def test_value_is_as_sent_or_that_of_the_contents(
    tmp_path: Path, properties: object, value: float | None
) -> None:
    signals = _import(tmp_path, _body(_event(properties=properties)))

    assert signals["value"].to_list() == [value]


@pytest.mark.parametrize("value", ["12,50 €", True, {}, [1]])
def test_value_that_is_no_number_is_nan_for_ingestion_to_refuse(
    tmp_path: Path, value: object
) -> None:
    signals = _import(tmp_path, _body(_event(properties={"value": value})))

    assert signals["value"].is_nan().to_list() == [True]
    assert _refusals(signals) == ["value.not_finite"]


@pytest.mark.parametrize("prices", [(1e308, 1e308), (math.inf, -math.inf)])
def test_contents_whose_sum_is_beyond_all_numbers_are_for_ingestion_to_refuse(
    tmp_path: Path, prices: tuple[float, float]
) -> None:
    contents = [{"price": price} for price in prices]

    signals = _import(tmp_path, _body(_event(properties={"contents": contents})))

    assert _refusals(signals) == ["value.not_finite"]


def _refusals(signals: pl.DataFrame) -> list[str]:
    """Return the rules by which ingestion refuses rows of an imported folder."""
    file = LogFile(Path("signals.parquet"), "signals.parquet", "signals", MOMENT.date())
    rows = signals.with_row_index("source_row").with_columns(pl.col("source_row").cast(pl.Int64))
    return conform(rows, table=TABLES["signals"], file=file, mapping={}).bad["rule"].to_list()


@pytest.mark.parametrize("flag", [True, "true", 1])
def test_limited_data_use_is_consent_denied(tmp_path: Path, flag: object) -> None:
    of_the_body = {**_body(_event(event_id="b")), "limited_data_use": flag}

    signals = _import(
        tmp_path,
        _body(_event(limited_data_use=flag), _event(event_id="f", limited_data_use=False)),
        of_the_body,
    )

    assert signals["consent"].to_list() == ["denied", None, "denied"]


def test_text_of_any_script_is_kept(tmp_path: Path) -> None:
    signals = _import(
        tmp_path, _body(_event(event="购买", event_id="é\u2028x", user={"city": "東京 \ud800"}))
    )

    assert signals.select("event_name", "signal_id", "city").row(0) == (
        "购买",
        "é\u2028x",
        "東京 ?",
    )


@pytest.mark.parametrize(
    "content",
    ["", "\n\n", "a,b\n1,2\n", '{"data": []}\n', '{"data": [{"event_name": "Purchase"}]}\n',
     '{\n"event": "x"\n}\n', "PAR1\x00\x15"],
)  # fmt: skip
def test_file_without_an_event_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(content)

    with pytest.raises(InputFileError, match="holds no event of the TikTok Events API") as caught:
        import_tiktok_events(log, tmp_path / "out")

    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_events_without_any_advertiser_or_time_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="Give the id with --advertiser-id"):
        _import(tmp_path, _event())
    with pytest.raises(InputFileError, match="Give the id with --advertiser-id"):
        _import(tmp_path, _event(), advertiser_id="  ")
    with pytest.raises(InputFileError, match="no event has a time"):
        _import(tmp_path, _body(_event(event_time=None)))


def test_absent_file_folder_and_taken_place_are_refused(tmp_path: Path) -> None:
    log = _write(tmp_path / "log", _body(_event()))

    for wrong in (tmp_path / "absent", tmp_path):
        with pytest.raises(InputFileError, match="cannot be opened"):
            import_tiktok_events(wrong, tmp_path / "out")
    with pytest.raises(InputFileError, match="is not empty"):
        import_tiktok_events(log, tmp_path)


def test_same_payloads_give_the_same_bytes(tmp_path: Path) -> None:
    log = _write(tmp_path / "log", _body(_event(), _event(event_id=None)))

    import_tiktok_events(log, tmp_path / "a")
    import_tiktok_events(log, tmp_path / "b")

    paths = [tmp_path / name / "date=2026-01-05" / "signals.parquet" for name in "ab"]
    assert paths[0].read_bytes() == paths[1].read_bytes()


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.text(max_size=5), st.sampled_from(sorted(_event()))), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.lists(JSON, max_size=4))
def test_whatever_is_sent_each_event_is_one_row(tmp_path_factory, sent):
    folder = tmp_path_factory.mktemp("sent")
    log = _write(folder / "log", _body(_event(), *sent), *map(json.dumps, sent))

    import_tiktok_events(log, folder / "out")

    assert _read(folder / "out").height == 1 + 2 * len(sent)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.timezones()))  # noqa: DTZ001
def test_time_means_the_same_as_seconds_and_as_text(time):
    seconds = int(time.timestamp())

    assert moment(seconds) == moment(str(seconds))
    assert moment(seconds) == moment(time.replace(microsecond=0).isoformat())
