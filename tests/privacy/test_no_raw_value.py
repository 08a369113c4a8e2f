"""No raw e-mail, phone or plain hash is anywhere after a whole run: every byte is searched."""

import base64
import json
from pathlib import Path

import pytest

from attribution import Format, encode, report, report_names
from tests.privacy.people import (
    DAYS,
    Person,
    adscribe,
    found,
    hashes,
    make_people,
    make_world,
    spellings,
    stored_text,
    write_rows,
)
from warehouse.database import Warehouse

PEOPLE = make_people(1000)


def signal(number: int, **values: object) -> dict[str, object]:
    return {
        "signal_id": f"k{number}", "event_time": f"{DAYS[1]} 10:00:00", "advertiser_id": "adv_01",
        "event_name": "purchase", "order_id": f"o{number}", "value": 5, "currency": "USD",
        "country": "US", **values,
    }  # fmt: skip


def signal_of(number: int, person: Person) -> dict[str, object]:
    """Return a signal that carries a person in one of many ways, right and wrong."""
    email, phone = person.email, person.phone
    spaced = f" ({phone[2:5]}) {phone[5:8]}-{phone[8:]} "
    hashed = base64.b64encode(bytes.fromhex(person.email_sha256)).decode()
    ways: list[dict[str, object]] = [
        {"email": f"  {email.upper()} ", "phone": spaced, "consent": "granted"},
        {"email": person.email_sha256, "phone": person.phone_sha256.upper()},
        {"email": hashed, "phone": f"00{phone[1:]}"},
        {"email": email.replace("@", "+shop@"), "phone": phone, "ip": "8.8.8.8"},
        {"email": email, "phone": phone, "consent": "denied", "value": 0},
        {"email": email, "phone": phone, "event_time": "yesterday"},
        {"email": email, "phone": phone, "value": -1, "url": f"https://a.example/?p={email}"},
        {"order_id": email, "phone": person.phone_sha256},
        {"order_id": phone},
        {"url": f"https://shop.example/a/{email}?phone={phone}#{person.email_sha256}"},
        {"user_agent": f"App/1 ({email}; {phone})", "city": phone, "region": email},
        {"email": phone, "phone": email},
        {"external_id": email, "device_id": phone, "cookie_id": email, "click_id": email},
        {"email": person.email_sha256, "event_time": f"{DAYS[2]}T99:00:00Z"},
    ]
    return signal(number, **ways[number % len(ways)])


def write_people(logs: Path) -> None:
    seen = [
        {
            "user_id": person.user_id if number % 97 else person.email,
            "event_time": f"{DAYS[0]} 08:00:00" if number % 50 else "soon",
            "email_sha256": person.email_sha256 if number % 40 else person.email,
            "phone_sha256": person.phone_sha256, "city": person.phone if number % 30 == 0 else "",
            "device_id": person.email_sha256 if number % 60 == 0 else "",
        }
        for number, person in enumerate(PEOPLE)
    ]  # fmt: skip
    write_rows(logs / f"date={DAYS[0]}" / "activity-known.csv", seen)
    signals = [signal_of(number, person) for number, person in enumerate(PEOPLE)]
    write_rows(logs / f"date={DAYS[1]}" / "signals-known.csv", signals)
    again = [signal_of(number, person) for number, person in enumerate(PEOPLE[:50])]
    write_rows(logs / f"date={DAYS[2]}" / "signals-again.csv", again)
    spoiled = [f"x,{person.email},{person.phone}" + ",y" * 40 for person in PEOPLE[:40]]
    head = "signal_id,event_time,advertiser_id,event_name"
    (logs / f"date={DAYS[2]}" / "signals-spoiled.csv").write_text("\n".join([head, *spoiled]))
    broken = [f'{{"signal_id": "b", "email": "{person.email}", "ph' for person in PEOPLE[40:80]]
    broken += [json.dumps([person.email, person.phone]) for person in PEOPLE[80:120]]
    (logs / f"date={DAYS[2]}" / "signals-broken.jsonl").write_text("\n".join(broken))


def run_everything(root: Path) -> tuple[Path, dict[str, bytes]]:
    """Return the warehouse of a whole run, and all that the commands wrote, by name."""
    logs, db = make_world(root), root / "ads.duckdb"
    write_people(logs)
    config = root / "adscribe.toml"
    config.write_text("[privacy]\nkeep_addresses_days = 1\n")
    result = adscribe("run", "--logs", logs, "--db", db, "--config", config)
    written = {"run": result.output.encode()}
    for name in report_names():
        written[f"{name}.table"] = adscribe("report", name, "--db", db).output.encode()
    with Warehouse.open(db, read_only=True) as warehouse:
        for name in report_names():
            frame = report(warehouse, name)
            for form in set(Format) - {Format.TABLE}:
                written[f"{name}.{form}"] = encode(frame, form, title=name)
    return db, written | dict(mistakes(root, db))


def mistakes(root: Path, db: Path) -> list[tuple[str, bytes]]:
    """Make errors with the values in hand, and return what they said."""
    person = PEOPLE[0]
    named = root / "named" / f"signals-{person.email}.csv"
    write_rows(named, [signal(1, email=person.email)])
    misnamed = root / "misnamed" / "touchpoints.csv"
    write_rows(misnamed, [signal_of(number, one) for number, one in enumerate(PEOPLE[:20])])
    commands = [
        ("run", "--logs", named.parent, "--db", root / "other.duckdb"),
        ("run", "--logs", misnamed.parent, "--db", db),
        ("forget", "--email", person.email + ".nowhere", "--db", db),
        ("forget", "--phone", person.phone + "0000", "--db", db),
        ("forget", "--user-id", PEOPLE[1].email, "--db", db),
    ]
    said = []
    for number, words in enumerate(commands):
        result = adscribe(*words, code=1)
        assert result.exception is not None
        said.append((f"error {number}", f"{result.output}{result.exception}".encode()))
    return said


def needles() -> set[bytes]:
    every = set()
    for person in PEOPLE:
        every |= spellings(person.email) | {person.phone.encode(), person.phone[2:].encode()}
        for form in (person.email.lower(), person.email, person.phone, person.phone[1:]):
            every |= hashes(form)
        local, _, domain = person.email.lower().rpartition("@")
        every |= hashes(f"{local.replace('.', '')}@{domain}")
    return every


def test_the_search_finds_what_is_there() -> None:
    there = [b"12345678", b"ann@mail.example", bytes(range(100, 132))]
    content = b"x" * 3 + there[1] + b"12345678" * 2 + b"y" * 6 + there[2]
    assert found([*there, b"nowhere at all"], content) == set(there)


@pytest.mark.slow
def test_nothing_raw_is_anywhere_after_a_whole_run(tmp_path: Path) -> None:
    db, written = run_everything(tmp_path)
    every = needles()

    assert [path for path in tmp_path.glob("ads.duckdb*") if path.suffix != ".key"] == [db]
    assert found(every, db.read_bytes()) == set()
    assert found(every, stored_text(db)) == set()
    assert found(every, b"\n".join(written.values())) == set()
    # and all of it was there to be found
    rejected = written["rejected_rows.csv"].decode()
    for rule in (
        "not_a_timestamp",
        "holds_email",
        "is_phone",
        "negative",
        "repeated",
        "unreadable",
    ):
        assert rule in rejected
    assert rejected.count("[withheld]") > 300
    assert b"email" in written["match_rate.csv"]


def test_a_hash_in_an_unreadable_line_is_withheld(tmp_path: Path) -> None:
    db, file = tmp_path / "ads.duckdb", tmp_path / "logs" / f"date={DAYS[0]}" / "signals.csv"
    write_rows(file, [signal(1)])
    lines = [f"x,{person.email_sha256}" + ",y" * 40 for person in PEOPLE[:30]]
    file.write_text(file.read_text() + "\n".join(lines))
    adscribe("run", "--logs", tmp_path / "logs", "--db", db)

    needles = {form for person in PEOPLE[:30] for form in hashes(person.email.lower())}
    assert found(needles, stored_text(db)) == set()
