"""One person, or one identifier that several share, out of the warehouse (docs/privacy.md).

Credit stays to the micro: what earned it keeps a name that stands for nobody. DuckDB leaves the
bytes of deleted rows in its file, so that `opened` has the file rewritten afterwards.
"""

import json
import secrets
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

import polars as pl

from warehouse.config import Config, Method, PrivacyConfig
from warehouse.database import REWRITE_DUE, Warehouse, rewrite
from warehouse.errors import ConfigError, UnknownNameError, WarehouseError
from warehouse.identifiers import identify
from warehouse.keys import IdentifierKey, open_key
from warehouse.runs import Run
from warehouse.schemas import TABLES

_USER: Final = "user_id"
# What is done for one user, and to which table's rows.
_OF_USER: Final = {
    "delete_activity": "activity",
    "delete_links_of_user": "identity_links",
    "delete_evidence_of_user": "signal_evidence",
    "blank_rejected_rows": "rejected_rows",
}
_RENAMED: Final = (
    "touchpoints", "matches", "match_conflicts", "path_touches", "credits", "restatements",
)  # fmt: skip
# Then for the identifiers that go, and for the user's signals.
_OF_IDENTIFIERS: Final = {
    "delete_signal_identifiers": "signal_identifiers",
    "delete_identity_links": "identity_links",
    "delete_signal_evidence": "signal_evidence",
    "delete_replaced_identifiers": "replaced_identifiers",
    "blank_activity": "activity",
    "blank_touchpoints": "touchpoints",
    "blank_signals": "signals",
}


@dataclass(frozen=True, repr=False)
class Asked:
    """Who is to be forgotten; never shown.

    Attributes
    ----------
    kind : str
        ``user_id``, or a kind of identifier.
    value : str
        The user id, or the identifier, raw or hashed.
    advertiser_id, country : str or None
        Whose customer an external_id names, and where a phone number without country is at home.
    """

    kind: str
    value: str
    advertiser_id: str | None = None
    country: str | None = None

    @classmethod
    def among(
        cls, given: Mapping[str, str | None], *, advertiser_id: str | None, country: str | None
    ) -> Self:
        """Return the one that was given; the value ``-`` is read from standard input.

        Raises
        ------
        ConfigError
            If none or several were given, or what goes with it is missing.
        """
        told = [(kind, value) for kind, value in given.items() if value is not None]
        if len(told) != 1:
            options = ", ".join(map(_option, given))
            raise ConfigError(f"{len(told)} persons named. Give exactly one of {options}.")
        kind, value = told[0]
        if value == "-":
            value = sys.stdin.readline().rstrip("\r\n")
        if not value.strip():
            raise ConfigError(f"{_option(kind)}: nothing given. Give a value, or - and a line.")
        if kind == Method.EXTERNAL_ID and advertiser_id is None:
            raise ConfigError("--external-id: whose customer? Name it with --advertiser-id.")
        return cls(kind, value, advertiser_id, country)


@dataclass(frozen=True)
class Erasure:
    """What was forgotten.

    Attributes
    ----------
    run_id : str
        The run, as in the tables runs and erasures.
    asked : str
        ``user_id``, or the kind of identifier given.
    users_named, users_removed : int
        How many users it names, and how many were removed: 0 where several share it, or none.
    rows : dict of str to int
        Rows deleted or changed, by table.
    """

    run_id: str
    asked: str
    users_named: int
    users_removed: int
    rows: dict[str, int]

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        return asdict(self)

    @property
    def outcome(self) -> str:
        """What was done, in one line."""
        if self.users_removed:
            return "1 user forgotten"
        if self.users_named:
            return (
                f"the {self.asked} was shared by {self.users_named} users, of whom none was "
                "removed: it alone was. Name one with --user-id"
            )
        return f"the {self.asked} was no user's; it was removed"

    def __str__(self) -> str:
        rows = ", ".join(f"{table} {count:,}" for table, count in self.rows.items())
        return f"{self.outcome}.\nrows: {rows}"


@contextmanager
def opened(db: Path, command: str, config: Config) -> Iterator[tuple[Run, IdentifierKey]]:
    """Open a warehouse to take something out of it for good: afterwards its file is rewritten.

    What an earlier command could not rewrite, as it was killed, is rewritten first.

    Raises
    ------
    WarehouseError, ConfigError
        If the warehouse or its key cannot be used, or there is no space to rewrite it.
    """
    if not db.exists():
        raise WarehouseError(f"{db}: no such warehouse. Name one that was made by adscribe run.")
    opening = Warehouse.open(db, config=config.warehouse)
    if not opening.query("ledger/setting", name=REWRITE_DUE).is_empty():
        opening.close()
        rewrite(db, config.warehouse)
        opening = Warehouse.open(db, config=config.warehouse)
    with opening as warehouse:
        key = open_key(warehouse, config.privacy)
        yield Run(warehouse, command, config), key
    try:
        rewrite(db, config.warehouse)
    except WarehouseError as error:
        raise WarehouseError(
            f"{error} The change itself is done and kept; old bytes are left in the file until the "
            "next adscribe forget or rekey on it."
        ) from error


def forget(run: Run, key: IdentifierKey, asked: Asked) -> Erasure:
    """Forget a user, or an identifier that is not one user's, in one transaction.

    Parameters
    ----------
    run, key
        From :func:`opened`.
    asked : Asked
        Who is to be forgotten.

    Raises
    ------
    UnknownNameError
        If the warehouse knows nothing of it.
    ConfigError
        If it is no such identifier, such as an e-mail address without a domain.
    """
    values = _read(asked)
    warehouse = run.warehouse
    warehouse.execute("ingest/macros")
    with run.stage("forget", None) as counts:
        with warehouse.frame("batch", values):
            warehouse.execute("privacy/asked_identifiers", **key.pads)
        named = [asked.value]
        if asked.kind != _USER:
            named = warehouse.query("privacy/named_users").get_column("user_id").to_list()
        user_id = named[0] if len(named) == 1 else None
        rows = _remove(warehouse, user_id)
        if not rows:
            raise UnknownNameError(
                f"{warehouse.path}: nothing is known of the {asked.kind} given. See that it is "
                "written as in the logs."
            )
        erasure = Erasure(run.run_id, asked.kind, len(named), int(user_id is not None), rows)
        _note(warehouse, erasure)
        counts.rows_out = sum(rows.values())
        counts.message = erasure.outcome
    return erasure


def _remove(warehouse: Warehouse, user_id: str | None) -> dict[str, int]:
    """Remove a user, or with None the identifier asked for; return the rows of each table."""
    rows: Counter[str] = Counter()
    warehouse.execute("privacy/forgotten_signals", user_id=user_id)
    warehouse.execute("privacy/removed_identifiers", user_id=user_id)
    if user_id is not None:
        names = {"user_id": user_id, "pseudonym": f"forgotten-{secrets.token_hex(16)}"}
        for statement, table in _OF_USER.items():
            rows[table] += warehouse.execute(f"privacy/{statement}", user_id=user_id)
        for table in _RENAMED:
            rows[table] += warehouse.execute(f"privacy/rename_{table}", **names)
    for statement, table in _OF_IDENTIFIERS.items():
        rows[table] += warehouse.execute(f"privacy/{statement}")
    return {table: count for table, count in sorted(rows.items()) if count}


def _note(warehouse: Warehouse, erasure: Erasure) -> None:
    """Write the ledger, and that the file holds bytes that are to go."""
    warehouse.execute(
        "privacy/insert_erasure",
        run_id=erasure.run_id,
        asked=erasure.asked,
        users_named=erasure.users_named,
        users_removed=erasure.users_removed,
        row_counts=json.dumps(erasure.rows),
    )
    warehouse.execute("ledger/record_setting", name=REWRITE_DUE, value=erasure.run_id)


def _read(asked: Asked) -> pl.DataFrame:
    """Return the identifier in the form of each recipe, as ingestion reads it."""
    schema = {
        "log_day": pl.Date(), "source_row": pl.Int64(), **TABLES["signals"].columns,
    }  # fmt: skip
    row = {
        "consent": "granted",
        "advertiser_id": asked.advertiser_id,
        "country": asked.country,
        **({} if asked.kind == _USER else {asked.kind: asked.value}),
    }
    signal = pl.DataFrame([row], schema=schema)
    values = identify(signal, "signals", PrivacyConfig()).identifiers
    refused = values.get_column("refusal").drop_nulls()
    if len(refused):
        raise ConfigError(
            f"{_option(asked.kind)}: what is given is none ({refused[0]}). Write it as in the "
            "logs; a phone number without + needs --country."
        )
    return values


def _option(kind: str) -> str:
    return "--" + kind.replace("_", "-")
