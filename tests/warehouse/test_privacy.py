"""No raw e-mail address or phone number reaches the file, the log or an error, in any format."""

import itertools
import logging
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.folders import FOLDER, WRITERS, ingest, signal, touch, write
from warehouse.database import Warehouse
from warehouse.errors import InputFileError
from warehouse.privacy import name_holds_email, withhold_contacts, without_contacts
from warehouse.schemas import TABLES

WRITTEN = [
    "ann.secret@mail.example",
    "ANN.SECRET@MAIL.EXAMPLE",
    "see ann.secret@mail.example!",
    "ann.secret%40mail.example",
    "https://shop.example/ann.secret@mail.example/x?e=ann.secret@mail.example",
    '"Ann" <ann.secret@mail.example>',
    "+1 555-123-4567",
    "(555) 123-4567",
    "tel:5551234567",
    "%2B15551234567",
]
TRACES = [b"ann.secret", b"555-123-4567", b"5551234567", b"123-4567"]
BASES = {
    "signals": signal("s"),
    "touchpoints": touch("t"),
    "activity": {"user_id": "u", "event_time": "2026-01-05 10:00:00"},
    "costs": {"date": "2026-01-05", "campaign_id": "c", "cost": "1"},
}


def traces(folder: Path, *texts: str) -> list[tuple[str, bytes]]:
    """Return where any trace stands among the bytes of the files and in the texts."""
    places = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    places["texts"] = "\n".join(texts).encode()
    return [
        (name, trace)
        for name, content in places.items()
        for trace in TRACES
        if trace in content.lower()
    ]


def contacts_everywhere(table: str) -> list[dict[str, object]]:
    """Return rows with a contact in one column each, half of them broken elsewhere as well."""
    columns = list(TABLES[table].columns)
    rows = []
    for column, text, broken in itertools.product(columns, WRITTEN, (False, True)):
        row = {**dict.fromkeys(columns, ""), **BASES[table]}
        row[TABLES[table].required[0]] = f"id{len(rows)}"
        if table == "costs":
            row |= {"date": "2026-01-05", "campaign_id": f"id{len(rows)}"}
        row |= {"date" if table == "costs" else "event_time": "1970-01-01"} if broken else {}
        rows.append({**row, column: text})
    return rows


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("table", BASES)
def test_contacts_in_any_column_leave_no_trace(
    tmp_path: Path, root, table: str, ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    rows = contacts_everywhere(table)
    logs = write(root, {f"{FOLDER}/{table}{ending}": WRITERS[ending](rows)})
    with (
        caplog.at_level(logging.DEBUG),
        Warehouse.open(tmp_path / "ads.duckdb") as warehouse,
    ):
        ingest(warehouse, logs)
        assert not traces(tmp_path, *caplog.messages)  # the log of changes not yet merged, too
        (total,) = warehouse.query("reports/data_quality").select(pl.col("row_count").sum()).row(0)
    assert total == len(rows)
    assert not traces(tmp_path, *caplog.messages)


def test_lines_that_cannot_be_split_leave_no_trace(tmp_path: Path, root) -> None:
    csv = "signal_id,event_time,advertiser_id,event_name\n" + "".join(
        f"s,{text.replace(chr(34), '')},{n},too,many,columns\n" for n, text in enumerate(WRITTEN)
    )
    lines = "".join(
        f'{{"email": "{text}", broken\n'
        for text in [*WRITTEN, "ann.secret\\u0040mail.example", "ann.secret＠mail.example"]  # noqa: RUF001
    )
    spaced = b"\0".join(b"ann.secret@mail.example"[n : n + 1] for n in range(23))
    files = {
        f"{FOLDER}/signals.csv": csv.encode(),
        f"{FOLDER}/signals.jsonl": lines.encode() + spaced + b"\n\xff ann.secret@mail.example\n",
    }
    with Warehouse.open(tmp_path / "ads.duckdb") as warehouse:
        ingest(warehouse, write(root, files))
        contents = warehouse._connection.sql("SELECT content FROM rejected_rows").pl()
        assert contents.height == 2 * len(WRITTEN) + 4
        told = "".join(contents["content"])
    assert "a\\u0000n\\u0000n" not in told
    assert not traces(tmp_path, told)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_file_without_header_shows_no_data(warehouse: Warehouse, root, text: str) -> None:
    content = f"s1;2026-01-05;{text};{text}\n".encode()
    with pytest.raises(InputFileError) as caught:
        ingest(warehouse, write(root, {f"{FOLDER}/signals.csv": content}))
    assert not traces(root, str(caught.value))


def blanked(text: str, *, digits: bool) -> str:
    shown = pl.select(withhold_contacts(pl.lit(text), digits=digits)).item()
    return str(shown)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05 10:00:00.123456", "2026-01-05T10:00:00Z", "2026-01-05", "Zürich", "1170x2532",
        "America/Los_Angeles", "en-US", "a @ b", "12345",
    ],
)  # fmt: skip
def test_times_and_places_are_not_taken_for_contacts(text: str) -> None:
    assert blanked(text, digits=True) == text


@pytest.mark.parametrize(
    "text",
    [
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15",
        "Chrome/120.0.6099.230 Safari/537.36 Build/20260101", "192.168.100.200", "2001:db8::1",
        "550e8400-e29b-41d4-a716-446655440000", "ord-20260105-000123", "1234567890",
    ],
)  # fmt: skip
def test_agents_addresses_and_ids_are_not_taken_for_contacts(text: str) -> None:
    assert blanked(text, digits=False) == text


@given(
    name=st.from_regex(r"[a-z0-9._+-]{1,20}", fullmatch=True),
    host=st.from_regex(r"[a-z0-9-]{1,20}\.[a-zа-я]{2,6}", fullmatch=True),  # noqa: RUF001
    sign=st.sampled_from(["@", "%40", "＠"]),  # noqa: RUF001
)
def test_addresses_are_blanked_wherever_they_stand(name: str, host: str, sign: str) -> None:
    address = f"{name}{sign}{host}"
    for digits in (False, True):
        assert blanked(f"x <{address}> y", digits=digits) == "x <[withheld]> y"
    assert without_contacts(f"x <{address}> y") == "x <[withheld]> y"
    assert name_holds_email(f"signals {address}.csv")


@given(number=st.from_regex(r"\+[1-9]([ -]?[0-9]){7,13}", fullmatch=True))
def test_phone_numbers_with_a_plus_are_blanked(number: str) -> None:
    assert blanked(f"x {number}", digits=False) == "x [withheld]"
