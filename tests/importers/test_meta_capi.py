"""Laws of the Meta importer, on payloads that Meta's own client builds."""

import gzip
import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from warehouse.errors import InputFileError
from warehouse.importers import import_meta_capi
from warehouse.schemas import TABLES

pytest.importorskip("facebook_business")

from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.app_data import AppData
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.extended_device_info import ExtendedDeviceInfo
from facebook_business.adobjects.serverside.user_data import UserData

PIXEL = "1234567890123456"
EMAIL = hashlib.sha256(b"jane@example.com").hexdigest()
AGENT = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile"
FBCLID = "IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDMgk"


def _user(**changes: Any) -> UserData:
    values: dict[str, Any] = {
        "emails": [" Jane@Example.COM "],
        "phones": ["+1 (555) 123-4567"],
        "external_ids": ["customer-7"],
        "client_ip_address": "2001:db8::7",
        "client_user_agent": AGENT,
        "fbc": f"fb.1.1657051589577.{FBCLID}",
        "fbp": "fb.1.1657051589577.1088522659",
        "country_codes": ["us"],
        "cities": ["New York"],
        "states": ["ny"],
    }
    return UserData(**values | changes)


def _purchase(**changes: Any) -> Event:
    values: dict[str, Any] = {
        "event_name": "Purchase",
        "event_time": 1767600000,
        "event_id": "e1",
        "event_source_url": "https://shop.example/thanks?email=jane@example.com",
        "action_source": ActionSource.WEBSITE,
        "user_data": _user(),
        "custom_data": CustomData(
            value=39.98,
            currency="usd",
            order_id="o1",
            contents=[Content(product_id="p1", quantity=2, item_price=19.99)],
        ),
    }
    return Event(**values | changes)


def _body(*events: Event) -> dict[str, Any]:
    return {"data": [event.normalize() for event in events]}


def _write(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def _read(out: Path) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(path) for path in sorted(out.glob("date=*/signals.parquet")))


def _import(tmp_path: Path, *lines: object) -> pl.DataFrame:
    log = _write(tmp_path / "payloads.jsonl", *lines)
    import_meta_capi(log, tmp_path / "out", advertiser_id=PIXEL)
    return _read(tmp_path / "out")


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def test_event_of_the_official_client_becomes_a_signal(tmp_path: Path) -> None:
    signals = _import(tmp_path, _body(_purchase()))

    assert dict(signals.schema) == TABLES["signals"].columns
    assert _present(signals.row(0, named=True)) == {
        "signal_id": "e1",
        "event_time": datetime.fromisoformat("2026-01-05 08:00:00"),
        "advertiser_id": PIXEL,
        "event_name": "Purchase",
        "order_id": "o1",
        "value": 39.98,
        "currency": "USD",
        "click_id": FBCLID,
        "cookie_id": "fb.1.1657051589577.1088522659",
        "external_id": "customer-7",
        "email": EMAIL,
        "phone": hashlib.sha256(b"15551234567").hexdigest(),
        "ip": "2001:db8::7",
        "user_agent": AGENT,
        "url": "https://shop.example/thanks",
    }


def test_body_bare_event_and_form_say_the_same(tmp_path: Path) -> None:
    request = EventRequest(pixel_id=PIXEL, access_token="secret", events=[_purchase()])  # noqa: S106
    form = request.get_params()

    signals = _import(
        tmp_path,
        _body(_purchase()),
        _purchase().normalize(),
        form,
        {"data": json.dumps(_body(_purchase())["data"])},
    )

    assert signals.height == 4
    assert signals.n_unique() == 1


def test_batch_gives_a_row_for_each_event_on_its_day(tmp_path: Path) -> None:
    events = [
        _purchase(event_id=f"e{number}", event_time=1767600000 + number * 43_200)
        for number in range(4)
    ]
    log = tmp_path / "payloads.gz"
    log.write_bytes(gzip.compress(json.dumps(_body(*events)).encode()))

    assert import_meta_capi(log, tmp_path / "out", advertiser_id=PIXEL) == {"signals": 4}

    days = {path.name: pl.read_parquet(path) for path in (tmp_path / "out").iterdir()}
    assert {day: rows["signal_id"].to_list() for day, rows in days.items()} == {
        "date=2026-01-05": ["e0", "e1"],
        "date=2026-01-06": ["e2", "e3"],
    }


@pytest.mark.parametrize("key", ["pixel_id", "dataset_id"])
def test_advertiser_is_the_pixel_where_it_was_logged(tmp_path: Path, key: str) -> None:
    log = _write(tmp_path / "log", {key: PIXEL, **_body(_purchase())})

    import_meta_capi(log, tmp_path / "out")

    assert _read(tmp_path / "out")["advertiser_id"].to_list() == [PIXEL]


def test_payloads_that_name_no_pixel_need_an_advertiser(tmp_path: Path) -> None:
    log = _write(tmp_path / "log", _body(_purchase()))

    with pytest.raises(InputFileError, match="Give the id with --advertiser-id"):
        import_meta_capi(log, tmp_path / "out")


@pytest.mark.parametrize(
    ("fbc", "click"),
    [
        (f"fb.1.1657051589577.{FBCLID}.AQEAAQMB", FBCLID),
        (f"fb.2.1657051589577.{FBCLID}_aem_x-Y", f"{FBCLID}_aem_x-Y"),
        (FBCLID, FBCLID),
        ("fb.1.1657051589577", "of-the-url"),
        ("fb.1.1657051589577.", "of-the-url"),
        (None, "of-the-url"),
    ],
)
def test_click_id_is_the_fbclid(tmp_path: Path, fbc: str | None, click: str) -> None:
    url = "https://shop.example/?a=1&fbclid=of-the-url#top"

    signals = _import(tmp_path, _body(_purchase(user_data=_user(fbc=fbc), event_source_url=url)))

    assert signals.select("click_id", "url").row(0) == (click, "https://shop.example/")


def test_appendix_is_no_part_of_a_browser_id(tmp_path: Path) -> None:
    plain = "fb.1.1657051589577.1088522659"

    signals = _import(
        tmp_path, *(_body(_purchase(user_data=_user(fbp=fbp))) for fbp in (plain, f"{plain}.AQEA"))
    )

    assert signals["cookie_id"].to_list() == [plain, plain]


def test_app_event_describes_its_device(tmp_path: Path) -> None:
    info = ExtendedDeviceInfo(
        ext_info_version="i2",
        device_model_name="iPhone14,5",
        locale="en_US",
        screen_width=1170,
        screen_height=2532,
        device_time_zone="America/New_York",
    )
    event = _purchase(
        action_source=ActionSource.APP,
        user_data=_user(madid="38400000-8cf0-11bd-b23e-10b96e40000d"),
        app_data=AppData(extinfo=info, advertiser_tracking_enabled=True),
    )

    signals = _import(tmp_path, _body(event))

    assert signals.select("device_id", "language", "screen", "timezone").row(0) == (
        "38400000-8cf0-11bd-b23e-10b96e40000d", "en_US", "1170x2532", "America/New_York",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "consent"),
    [
        ({"data_processing_options": ["LDU"], "data_processing_options_country": 0}, "denied"),
        ({"opt_out": True}, "denied"),
        ({"data_processing_options": []}, None),
        ({"opt_out": False}, None),
        ({}, None),
    ],
)
def test_limited_data_use_and_opt_out_are_consent_denied(
    tmp_path: Path, changes: dict[str, Any], consent: str | None
) -> None:
    assert _import(tmp_path, _body(_purchase(**changes)))["consent"].to_list() == [consent]


def test_place_that_was_sent_in_clear_is_kept_and_a_digest_is_not(tmp_path: Path) -> None:
    event = _purchase().normalize()
    event["user_data"] |= {"country": "us", "st": ["ny"]}

    signals = _import(tmp_path, event)

    assert signals.select("country", "region", "city").row(0) == ("US", "ny", None)


def test_value_is_that_of_the_contents_where_none_was_sent(tmp_path: Path) -> None:
    contents = [Content(product_id="a", quantity=3, item_price=2.5), Content("b", item_price=1)]

    signals = _import(
        tmp_path, _body(_purchase(custom_data=CustomData(currency="eur", contents=contents)))
    )

    assert signals.select("value", "currency").row(0) == (8.5, "EUR")


def test_raw_identifiers_of_a_careless_client_are_digested(tmp_path: Path) -> None:
    event = _purchase().normalize()
    event["user_data"] |= {"em": "Jane@Example.com ", "ph": ["+1 555 123 4567"]}
    event["user_data"] |= {"external_id": ["jane@example.com"]}

    row = _import(tmp_path, event).row(0, named=True)

    assert row["email"] == row["external_id"] == EMAIL
    assert row["phone"] == hashlib.sha256(b"15551234567").hexdigest()
    assert "jane" not in json.dumps(row, default=str).lower()


@pytest.mark.parametrize(
    ("sent", "country", "kept"),
    [
        (["0151 12345678"], ["de"], b"4915112345678"),
        ("(415) 555-2671", "United States", b"14155552671"),
        (["0151 12345678"], None, None),
        (["12", "0151 12345678"], "DE", b"4915112345678"),
    ],
)
def test_raw_phone_is_digested_as_meta_has_it_done(
    tmp_path: Path, sent: object, country: object, kept: bytes | None
) -> None:
    event = _purchase().normalize()
    event["user_data"] |= {"ph": sent, "country": country}

    digest = hashlib.sha256(kept).hexdigest() if kept else None
    assert _import(tmp_path, event)["phone"].to_list() == [digest]


@pytest.mark.parametrize("sent", ["J.Ane+tag@gmail.com", "Jané@Bücher.de ", "a@b.co"])
def test_raw_email_has_the_digest_of_the_official_client(tmp_path: Path, sent: str) -> None:
    event, raw = (_purchase(user_data=_user(emails=[sent])).normalize() for _ in range(2))
    raw["user_data"]["em"] = ["nobody", sent]

    signals = _import(tmp_path, event, raw)

    assert signals["email"].null_count() == 0
    assert signals["email"].n_unique() == 1


def test_events_with_nothing_but_the_required_fields_are_signals(tmp_path: Path) -> None:
    least = Event("PageView", 1767600000, user_data=UserData()).normalize()

    signals = _import(tmp_path, {"data": [least]}, least, {"data": [least], "test_event_code": "T"})

    assert signals["signal_id"].n_unique() == 1
    assert signals["signal_id"].str.starts_with("event-").all()
    assert signals["event_name"].to_list() == ["PageView"] * 3


def test_junk_between_events_is_passed_on_without_a_time(tmp_path: Path) -> None:
    signals = _import(
        tmp_path, _body(_purchase(event_name="購入")), "jane@example.com", {"data": ["{", None]}
    )

    assert signals.select("signal_id", "event_name", "advertiser_id").rows() == [
        ("e1", "購入", PIXEL),
        ("line 2", None, None),
        ("line 3, event 1", None, None),
        ("line 3, event 2", None, None),
    ]
    assert signals["event_time"].null_count() == 3


def test_payloads_of_another_platform_are_refused(tmp_path: Path) -> None:
    log = _write(tmp_path / "log", {"event_source_id": "x", "data": [{"event": "Purchase"}]})

    with pytest.raises(InputFileError, match="holds no event of the Meta Conversions API"):
        import_meta_capi(log, tmp_path / "out", advertiser_id=PIXEL)
