"""E-mails, phones and countries of TikTok's events."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from tests.importers.tiktok_payloads import (
    EMAIL,
    PHONE,
    body,
    event,
    import_events,
)
from warehouse.importers import event_payloads


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
    signals = import_events(
        tmp_path,
        body(event(user=user, page=page, event_id="jane@example.com", event="jane@example.com")),
    )

    row = signals.row(0, named=True)
    assert (row["email"], row["phone"], row["click_id"]) == (EMAIL, PHONE, "E.C.P.q")
    assert row["signal_id"] == row["external_id"] == row["event_name"] == EMAIL
    written = json.dumps(row, default=str).lower()
    assert "jane" not in written
    assert "5551234" not in written


def _contacts(tmp_path: Path, **user: object) -> tuple[str | None, str | None]:
    signals = import_events(tmp_path, body(event(user=user)))
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
    bad = [event(user={"email": "nobody", "phone_number": "5551234"}) for _ in range(10)]

    import_events(tmp_path, *map(body, bad), body(event(user={"email": "test@test.com"})))

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
    signals = import_events(tmp_path, body(event(user={"country": sent})))
    assert signals["country"].to_list() == [kept]
