"""Laws of the TikTok importer, on payloads written after the documentation of the Events API."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.importers.tiktok_payloads import (
    AGENT,
    EMAIL,
    MOMENT,
    PHONE,
    body,
    event,
    import_events,
    present,
    read,
    refusals,
    write,
)
from warehouse.importers import import_tiktok_events
from warehouse.schemas import TABLES


def test_event_of_version_2_becomes_a_signal(tmp_path: Path) -> None:
    signals = import_events(tmp_path, body(event()))

    assert dict(signals.schema) == TABLES["signals"].columns
    assert present(signals.row(0, named=True)) == {
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

    signals = import_events(tmp_path, body(event()), single, batch)

    assert signals.height == 3
    assert signals.n_unique() == 1


@pytest.mark.parametrize(
    "source", ["event_source_id", "pixel_code", "event_set_id", "tiktok_app_id"]
)
def test_advertiser_is_the_source_unless_one_is_given(tmp_path: Path, source: str) -> None:
    log = write(tmp_path / "log", {source: "S1", **event()}, {source: "S1", "batch": [event()]})

    import_tiktok_events(log, tmp_path / "out")
    import_tiktok_events(log, tmp_path / "given", advertiser_id="shop-7")

    assert read(tmp_path / "out")["advertiser_id"].to_list() == ["S1", "S1"]
    assert read(tmp_path / "given")["advertiser_id"].to_list() == ["shop-7", "shop-7"]


def test_app_event_has_its_device_id(tmp_path: Path) -> None:
    older = {"device": {"platform": "iOS", "idfa": "AAAA-1"}, "ip": "203.0.113.7"}
    signals = import_events(
        tmp_path,
        body(event(user={"gaid": "38400000-8cf0"}, event_id="a")),
        {"tiktok_app_id": "7", "event": "Login", "event_time": 1767600001, "context": older},
    )

    assert signals["device_id"].to_list() == ["38400000-8cf0", "AAAA-1"]


def test_event_without_an_id_gets_one_of_its_content(tmp_path: Path) -> None:
    sent = event(event_id=None)
    reordered = dict(reversed(sent.items()))

    signals = import_events(tmp_path, body(sent, event(event_id="", event_time=1767600001)))
    import_tiktok_events(write(tmp_path / "again", body(reordered)), tmp_path / "b")

    first, second = signals["signal_id"].to_list()
    assert first.startswith("event-")
    assert first != second
    assert read(tmp_path / "b")["signal_id"].to_list() == [first]


def test_repeated_event_is_written_each_time_under_one_id(tmp_path: Path) -> None:
    signals = import_events(tmp_path, body(event()), body(event()))

    assert signals["signal_id"].to_list() == ["e1", "e1"]


def test_id_that_two_kinds_of_event_share_is_told_apart(tmp_path: Path) -> None:
    signals = import_events(
        tmp_path, body(event(), event(event="AddToCart"), event(event_id="e2"), event())
    )

    assert signals["signal_id"].to_list() == [
        "e1:CompletePayment", "e1:AddToCart", "e2", "e1:CompletePayment",
    ]  # fmt: skip


def test_id_that_two_advertisers_share_is_told_apart(tmp_path: Path) -> None:
    other = {"event_source_id": "OTHER", "data": [event()]}

    signals = import_events(tmp_path, body(event()), other)

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
    signals = import_events(tmp_path, body(event(properties=properties)))

    assert signals["value"].to_list() == [value]


@pytest.mark.parametrize("value", ["12,50 €", True, {}, [1]])
def test_value_that_is_no_number_is_nan_for_ingestion_to_refuse(
    tmp_path: Path, value: object
) -> None:
    signals = import_events(tmp_path, body(event(properties={"value": value})))

    assert signals["value"].is_nan().to_list() == [True]
    assert refusals(signals) == ["value.not_finite"]


@pytest.mark.parametrize("prices", [(1e308, 1e308), (math.inf, -math.inf)])
def test_contents_whose_sum_is_beyond_all_numbers_are_for_ingestion_to_refuse(
    tmp_path: Path, prices: tuple[float, float]
) -> None:
    contents = [{"price": price} for price in prices]

    signals = import_events(tmp_path, body(event(properties={"contents": contents})))

    assert refusals(signals) == ["value.not_finite"]


@pytest.mark.parametrize("flag", [True, "true", 1])
def test_limited_data_use_is_consent_denied(tmp_path: Path, flag: object) -> None:
    of_the_body = {**body(event(event_id="b")), "limited_data_use": flag}

    signals = import_events(
        tmp_path,
        body(event(limited_data_use=flag), event(event_id="f", limited_data_use=False)),
        of_the_body,
    )

    assert signals["consent"].to_list() == ["denied", None, "denied"]


def test_text_of_any_script_is_kept(tmp_path: Path) -> None:
    signals = import_events(
        tmp_path, body(event(event="购买", event_id="é\u2028x", user={"city": "東京 \ud800"}))
    )

    assert signals.select("event_name", "signal_id", "city").row(0) == (
        "购买",
        "é\u2028x",
        "東京 ?",
    )


def test_same_payloads_give_the_same_bytes(tmp_path: Path) -> None:
    log = write(tmp_path / "log", body(event(), event(event_id=None)))

    import_tiktok_events(log, tmp_path / "a")
    import_tiktok_events(log, tmp_path / "b")

    paths = [tmp_path / name / "date=2026-01-05" / "signals.parquet" for name in "ab"]
    assert paths[0].read_bytes() == paths[1].read_bytes()


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.text(max_size=5), st.sampled_from(sorted(event()))), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.lists(JSON, max_size=4))
def test_whatever_is_sent_each_event_is_one_row(tmp_path_factory, sent):
    folder = tmp_path_factory.mktemp("sent")
    log = write(folder / "log", body(event(), *sent), *map(json.dumps, sent))

    import_tiktok_events(log, folder / "out")

    assert read(folder / "out").height == 1 + 2 * len(sent)
