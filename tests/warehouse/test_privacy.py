"""No raw e-mail address or phone number reaches the file, the log or an error, in any format."""

import base64
import hashlib
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
from warehouse.privacy import (
    name_holds_email,
    needs_withholding,
    withhold,
    withhold_contacts,
    without_contacts,
)
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
DIGEST = hashlib.sha256(b"ann.secret@mail.example").digest()
BASE64 = base64.b64encode(DIGEST).decode()
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


@pytest.mark.parametrize(
    "text",
    [
        "ann@corp.com", "ann\uff20corp.com", "ann\ufe6bcorp.com", "ann%40corp.com",
        "ann%2540corp.com", "ann%252540corp%2Ecom", "ann&#x40;corp.com", "ann@corp\u3002com",
        "ann@corp\uff0ecom",
        '"ann"@corp.com', '"ann lee"@corp.com', '""ann""@corp.com', "ann\\u0040corp.com",
        "tel:+15550109998", "TEL: +1 555 010 9998", "+1\u00a0555\u00a0010\u00a09995",
        "555\u202f010\u202f9995", "(555)\u2007010\u20119995", "+1\u2010555\u2010010\u20109995",
        "+\u0661\u0665\u0665\u0665\u0660\u0661\u0660\u0669\u0669\u0669\u0665",
        "\uff0b\uff11\uff15\uff15\uff15\uff10\uff11\uff10\uff19\uff19\uff19\uff15",
        "\u06f5\u06f5\u06f5-\u06f0\u06f1\u06f0-\u06f9\u06f9\u06f9\u06f5", "%252B15550109995",
    ],
)  # fmt: skip
def test_contacts_in_other_scripts_and_codings_are_blanked(text: str) -> None:
    for digits in (False, True):
        shown = blanked(f"x {text} y", digits=digits).replace("tel:", "")
        assert shown == "x [withheld] y"
        assert needs_withholding(pl.Series([None, f"x {text} y"]), digits=digits)
    assert "[withheld]" in without_contacts(f"x {text} y")


@pytest.mark.parametrize(
    "text",
    [
        DIGEST.hex(), DIGEST.hex().upper(), f"e_{DIGEST.hex()}_x", f"h={DIGEST.hex()}&", BASE64,
        base64.urlsafe_b64encode(DIGEST).decode(), BASE64.replace("/", "\\/"),
        BASE64.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D"),
        BASE64.replace("=", "\\u003d"),
    ],
)  # fmt: skip
def test_plain_hashes_are_blanked(text: str) -> None:
    for digits in (False, True):
        shown = pl.select(withhold(pl.lit(f"x {text} y"), digits=digits)).item()
        assert shown.replace("e_", "").replace("_x", "").strip("hxy=& ") == "[withheld]"
        assert needs_withholding(pl.Series([None, f"x {text} y"]), digits=digits)
    assert blanked(text, digits=False) == text


@pytest.mark.parametrize(
    "text", ["https://shop.example/a?b=" + "c" * 42, "f" * 63, "a-b" * 20, "A" * 42 + "=", "a=b"]
)
def test_other_long_text_is_no_hash(text: str) -> None:
    assert pl.select(withhold(pl.lit(text), digits=False)).item() == text
    assert not needs_withholding(pl.Series([text, None]), digits=False)


@pytest.mark.parametrize("hashed", [DIGEST.hex(), DIGEST.hex().upper(), BASE64])
@pytest.mark.parametrize("table", BASES)
def test_plain_hashes_are_stored_in_ids_of_accepted_rows_alone(
    tmp_path: Path, root, table: str, hashed: str
) -> None:
    texts = [name for name, dtype in TABLES[table].columns.items() if dtype == pl.String]
    rows = []
    for column, broken in itertools.product(texts, (False, True)):
        row = {**dict.fromkeys(TABLES[table].columns, ""), **BASES[table]}
        row["campaign_id" if table == "costs" else TABLES[table].required[0]] = f"id{len(rows)}"
        day = "date" if table == "costs" else "event_time"
        rows.append({**row, column: hashed, **({day: "1970-01-01"} if broken else {})})
    logs = write(root, {f"{FOLDER}/{table}.parquet": WRITERS[".parquet"](rows)})
    with Warehouse.open(tmp_path / "ads.duckdb") as warehouse:
        ingest(warehouse, logs)
        held = warehouse._connection.sql(f"SELECT * FROM {table}").pl()  # noqa: S608
        refused = warehouse._connection.sql("SELECT content FROM rejected_rows").pl()
    assert refused.height >= len(texts)
    assert hashed not in "".join(refused["content"])
    schema = TABLES[table].schema.columns()
    for column in held.select(pl.selectors.string()):
        ids = bool(getattr(schema.get(column.name), "min_length", None))
        assert column.str.contains(hashed, literal=True).any() == ids, column.name
