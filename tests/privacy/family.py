"""A warehouse of known people, two of whom share an e-mail address, and what stands in it."""

from pathlib import Path
from uuid import UUID

import duckdb

from tests.privacy.people import adscribe, make_people, printed_json
from warehouse.errors import AdscribeError

PEOPLE = make_people(24)
FAMILY = make_people(25)[24]
SUMS = (
    "SELECT campaign_id, day, outcome, model, sum(credit_micros), sum(value_micros), count(*) "
    "FROM credits GROUP BY ALL ORDER BY ALL"
)


def copy(db: Path, folder: Path) -> Path:
    """Return a copy of a warehouse and its key."""
    for name in (db.name, f"{db.name}.key"):
        (folder / name).write_bytes((db.parent / name).read_bytes())
    return folder / db.name


def rows(db: Path, query: str, *values: object) -> list[tuple[object, ...]]:
    with duckdb.connect(str(db), read_only=True) as connection:
        found_rows: list[tuple[object, ...]] = connection.execute(query, values).fetchall()
        return found_rows


def totals(db: Path) -> object:
    return (
        printed_json("report", "campaign_totals", "--db", db, "--format", "json"),
        rows(db, SUMS),
    )


def error(*words: object, text: str | None = None) -> AdscribeError:
    result = adscribe(*words, text=text, code=1)
    assert isinstance(result.exception, AdscribeError)
    assert "\n" not in str(result.exception)
    return result.exception


def own_digests(db: Path, users: list[str]) -> set[UUID]:
    """Return the digests that are linked to `users` and to nobody else."""
    linked = rows(
        db,
        "SELECT DISTINCT digest FROM identity_links WHERE list_contains(?, user_id) AND digest "
        "NOT IN (SELECT digest FROM identity_links WHERE NOT list_contains($1, user_id))",
        users,
    )
    return {value for (value,) in linked if isinstance(value, UUID)}


def physical(digest: UUID) -> set[bytes]:
    """Return a digest as text, as bytes, and as DuckDB stores it: top bit flipped, reversed."""
    stored = (digest.int ^ (1 << 127)).to_bytes(16, "little")
    upper, lower = stored[8:], stored[:8]
    return {str(digest).encode(), digest.hex.encode(), digest.bytes, stored, upper + lower}
