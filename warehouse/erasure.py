"""One person, or one identifier that several share, out of the warehouse (docs/privacy.md).

Credit stays to the micro: what earned it keeps a name that stands for nobody. DuckDB leaves the
bytes of deleted rows in its file, so that `opened` has the file rewritten afterwards.
"""

import json
import logging
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.asked import NOUNS, USER, Asked, read
from warehouse.config import Config
from warehouse.database import REWRITE_DUE, Warehouse, rewrite
from warehouse.erased import FINISHED_EARLIER, ErasingRun, Erasure, Found
from warehouse.errors import UnknownNameError, WarehouseError
from warehouse.keys import IdentifierKey, open_key

_log = logging.getLogger("adscribe")
_Deed = tuple[str, str]  # what was done, and to which table's rows
# What is done for one user, and to which table's rows.
_OF_USER: Final = {
    "delete_activity": "activity",
    "delete_links_of_user": "identity_links",
    "delete_evidence_of_user": "signal_evidence",
}
_RENAMED: Final = (
    "touchpoints", "matches", "match_conflicts", "conversion_users", "path_touches",
    "holdout_conversions", "invalid_users", "credits", "restatements",
)  # fmt: skip
# Then for the identifiers that go, and for the user's signals.
_OF_IDENTIFIERS: Final = {
    "delete_signal_identifiers": "signal_identifiers",
    "delete_identity_links": "identity_links",
    "delete_signal_evidence": "signal_evidence",
    "delete_replaced_identifiers": "replaced_identifiers",
    "delete_once_shared_identifiers": "once_shared_identifiers",
    "blank_activity": "activity",
    "blank_touchpoints": "touchpoints",
    "blank_signals": "signals",
}
_REFUSED: Final[_Deed] = ("emptied", "rejected_rows")
_DEEDS: Final = {"delete": "deleted", "blank": "emptied", "rename": "renamed"}


@contextmanager
def opened(db: Path, command: str, config: Config) -> Iterator[tuple[ErasingRun, IdentifierKey]]:
    """Open a warehouse to take something out of it for good: afterwards its file is rewritten.

    What an earlier command could not rewrite, as it was killed, is rewritten first, and told.

    Raises
    ------
    WarehouseError, ConfigError
        If the warehouse or its key cannot be used, or there is no space to rewrite it.
    """
    _see_that_it_exists(db)
    opening = Warehouse.open(db, config=config.warehouse)
    finished_earlier = _rewrite_is_due(opening)
    if finished_earlier:
        opening.close()
        _rewrite(db, config, "an earlier forget or rekey is done and kept")
        _log.warning("%s: %s", db, FINISHED_EARLIER)
        opening = Warehouse.open(db, config=config.warehouse)
    with opening as warehouse:
        key = open_key(warehouse, config.privacy)
        run = ErasingRun(warehouse, command, config)
        run.finished_earlier = finished_earlier
        yield run, key
        is_due = _rewrite_is_due(warehouse)
    if is_due:
        _rewrite(db, config, f"the {command} is done and kept")
        for check in run.afterwards:
            check()


def _rewrite_is_due(warehouse: Warehouse) -> bool:
    return not warehouse.query("ledger/setting", name=REWRITE_DUE).is_empty()


def _rewrite(db: Path, config: Config, done: str) -> None:
    try:
        rewrite(db, config.warehouse)
    except WarehouseError as error:
        reason = str(error).removeprefix(f"{db}: ")
        raise WarehouseError(
            f"{db}: {done}, but old bytes are left in the file until the next adscribe forget or "
            f"rekey, which finishes it first: {reason}"
        ) from error


def forget(run: ErasingRun, key: IdentifierKey, asked: Sequence[Asked]) -> Erasure:
    """Forget users, and identifiers that are not one user's, in one transaction.

    Whom each of `asked` names is found out before anything is removed.

    Parameters
    ----------
    run, key
        From :func:`opened`.
    asked : sequence of Asked
        Who is to be forgotten.

    Raises
    ------
    UnknownNameError
        If the warehouse knows nothing of any of them, and no rewrite was left to finish either.
    ConfigError
        If one is no such identifier, such as an e-mail address without a domain.
    """
    values = read(asked)
    try:
        with run.stage("forget", None) as counts:
            erasure = _erase(run.warehouse, key, asked, values, run.run_id)
            _note(run.warehouse, erasure)
            counts.rows_out = sum(erasure.row_counts.values())
            counts.message = erasure.outcome
    except UnknownNameError:
        if not run.finished_earlier:
            raise
        unknown = [Found(one.kind, (), known=False) for one in asked]
        return Erasure(run.run_id, unknown, [], {}, finished_earlier=True)
    return replace(erasure, finished_earlier=run.finished_earlier)


def preview(db: Path, config: Config, asked: Sequence[Asked]) -> Erasure:
    """Tell what :func:`forget` would do; nothing is changed, in the ledger neither.

    Raises
    ------
    WarehouseError, UnknownNameError, ConfigError
        As :func:`opened` and :func:`forget`; also if an older adscribe made the warehouse.
    """
    values = read(asked)
    _see_that_it_exists(db)
    Warehouse.open(db, read_only=True).close()  # which brings no older one up to date
    with Warehouse.open(db, config=config.warehouse) as warehouse:
        key = open_key(warehouse, config.privacy)
        with suppress(_UndoneError), warehouse.transaction():
            erasure = _erase(warehouse, key, asked, values, None)
            raise _UndoneError
    return erasure


class _UndoneError(Exception):
    """Ends a transaction whose changes are not wanted."""


def _see_that_it_exists(db: Path) -> None:
    if not db.exists():
        raise WarehouseError(f"{db}: no such warehouse. Name one that was made by adscribe run.")


def _erase(
    warehouse: Warehouse,
    key: IdentifierKey,
    asked: Sequence[Asked],
    values: pl.DataFrame,
    run_id: str | None,
) -> Erasure:
    """Remove all that was asked for, in a transaction of the caller."""
    found = _find(warehouse, key, asked, values)
    named = sorted({one.user_ids[0] for one in found if one.names_one})
    rows = _remove(warehouse, named)
    users = [user_id for user_id in named if rows[user_id].total() - rows[user_id][_REFUSED]]
    found = [
        one
        if one.kind != USER or one.user_ids[0] in users
        else replace(one, known=False, in_refused_rows=bool(rows[one.user_ids[0]][_REFUSED]))
        for one in found
    ]
    total = sum(rows.values(), Counter[_Deed]())
    if not total:
        nouns = " and ".join(dict.fromkeys(NOUNS[one.kind] for one in found))
        raise UnknownNameError(
            f"{warehouse.path}: nothing is known of the {nouns} given. See that it is written as "
            "in the logs."
        )
    by_deed: dict[str, dict[str, int]] = {}
    for deed in _DEEDS.values():
        counts = {table: n for (done, table), n in sorted(total.items()) if done == deed and n}
        if counts:
            by_deed[deed] = counts
    return Erasure(run_id, found, users, by_deed)


def _find(
    warehouse: Warehouse, key: IdentifierKey, asked: Sequence[Asked], values: pl.DataFrame
) -> list[Found]:
    """Find whom each of `asked` names. A user id names its user, known or not."""
    warehouse.execute("ingest/macros")
    with warehouse.frame("batch", values):
        warehouse.execute("privacy/asked_identifiers", **key.pads)
    known = {row["place"]: row for row in warehouse.query("privacy/named_users").to_dicts()}
    found = []
    for place, one in enumerate(asked):
        row = known.get(place)
        if one.kind == USER:
            found.append(Found(one.kind, (one.value,)))
        elif row is None:
            found.append(Found(one.kind, (), known=False))
        else:
            users = tuple(sorted(row["user_ids"] or ()))
            found.append(Found(one.kind, users, once_shared=row["once_shared"]))
    return found


def _remove(warehouse: Warehouse, user_ids: list[str]) -> dict[str | None, Counter[_Deed]]:
    """Remove users and the identifiers asked for; return rows by user, others under None."""
    rows: dict[str | None, Counter[_Deed]] = {}
    for statement in ("forgotten_signals", "removed_identifiers", "insert_once_shared_identifiers"):
        warehouse.execute(f"privacy/{statement}", user_ids=user_ids)
    for user_id in user_ids:
        done = rows[user_id] = Counter()
        names = {"user_id": user_id, "pseudonym": f"forgotten-{secrets.token_hex(16)}"}
        for statement, table in _OF_USER.items():
            done[_deed(statement), table] += warehouse.execute(
                f"privacy/{statement}", user_id=user_id
            )
        for table in _RENAMED:
            done["renamed", table] += warehouse.execute(f"privacy/rename_{table}", **names)
        done[_REFUSED] = warehouse.execute(
            "privacy/blank_rejected_rows",
            user_id=user_id,
            forms=_written(user_id),
            is_known=done.total() > 0,
        )
    done = rows[None] = Counter()
    for statement, table in _OF_IDENTIFIERS.items():
        done[_deed(statement), table] += warehouse.execute(f"privacy/{statement}")
    return rows


def _written(user_id: str) -> list[str]:
    """Return an id as it may stand in a line that could not be read: plain, in JSON, in CSV."""
    in_json = (json.dumps(user_id, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    return list(dict.fromkeys([user_id, *in_json, user_id.replace('"', '""')]))


def _deed(statement: str) -> str:
    return _DEEDS[statement.partition("_")[0]]


def _note(warehouse: Warehouse, erasure: Erasure) -> None:
    """Write the ledger, and that the file holds bytes that are to go."""
    warehouse.execute(
        "privacy/insert_erasure",
        run_id=erasure.run_id,
        asked=erasure.asked,
        users_named=erasure.users_named,
        users_removed=len(erasure.user_ids),
        row_counts=json.dumps(erasure.row_counts),
    )
    warehouse.execute("ledger/record_setting", name=REWRITE_DUE, value=erasure.run_id)
