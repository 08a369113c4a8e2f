"""A warehouse under a new key: every digest becomes its digest under one more secret."""

import os
import secrets
from pathlib import Path
from typing import Final

from warehouse.database import REWRITE_DUE
from warehouse.erased import FINISHED_EARLIER, ErasingRun
from warehouse.errors import ConfigError, WarehouseError
from warehouse.keys import KEY_VARIABLE, IdentifierKey, key_place, write_key
from warehouse.runs import Run

# Files that DuckDB or a rewrite makes beside a warehouse, and removes.
_PASSING: Final = (".wal", ".tmp", ".rewriting", ".checkpoint", ".recovery")
_DIGESTED: Final = (
    "activity", "touchpoints", "signals", "signal_identifiers", "identity_links", "signal_evidence",
    "replaced_identifiers", "once_shared_identifiers",
)  # fmt: skip


def rekey(run: ErasingRun, key: IdentifierKey, new_key_file: Path) -> str:
    """Put a warehouse under one more secret, written to a new file with the ones before it.

    Every digest becomes its digest under the new secret. The file is on the disk before that is
    committed, so that no crash leaves a warehouse without its key.

    Parameters
    ----------
    run, key
        From :func:`warehouse.erasure.opened`.
    new_key_file : Path
        Where to write the whole chain.

    Returns
    -------
    str
        What the owner has to do now.

    Raises
    ------
    ConfigError
        If the new file is there already, cannot be written, or has a name that is not kept.
    WarehouseError
        If the new file does not hold what was written to it.
    """
    _see_that_it_is_kept(new_key_file, run.warehouse.path)
    if run.finished_earlier and _holds(new_key_file, key):
        lines = len(key.secrets)
        return f"{FINISHED_EARLIER} {_advice(run, new_key_file, lines)}"
    added = IdentifierKey((secrets.token_hex(32).encode(),))
    chain, warehouse = key.followed_by(added), run.warehouse
    pads = {name: added.pads[name] for name in ("inner_pad", "outer_pad")}
    warehouse.execute("ingest/macros")
    write_key(new_key_file, chain, "Make its folder and let it be written, or name another file.")
    try:
        _see_that_it_holds(new_key_file, chain)
        with run.stage("rekey", None) as counts:
            for table in _DIGESTED:
                counts.rows_out += warehouse.execute(f"privacy/rekey_{table}", **pads)
            warehouse.execute("ledger/update_setting", name="key_id", value=chain.key_id)
            warehouse.execute("ledger/record_setting", name=REWRITE_DUE, value=run.run_id)
    except BaseException:
        if warehouse.query("ledger/setting", name="key_id").item() == key.key_id:
            new_key_file.unlink()  # nothing was committed
        raise
    run.afterwards.append(lambda: _see_that_it_holds(new_key_file, chain))
    return _advice(run, new_key_file, len(chain.secrets))


def _see_that_it_is_kept(new_key_file: Path, database: Path) -> None:
    """Refuse the warehouse itself, and files beside it that DuckDB or a rewrite removes."""
    place = new_key_file.resolve()
    for base in (database.resolve(), database.parent.resolve() / database.name):
        for part in (place, *place.parents):
            end = part.name.removeprefix(base.name)
            if part == base or (
                part.parent == base.parent and end != part.name and end.startswith(_PASSING)
            ):
                raise ConfigError(
                    f"{new_key_file}: of the files of the warehouse itself, which come and go. "
                    "Name another file."
                )


def _holds(path: Path, key: IdentifierKey) -> bool:
    try:
        return IdentifierKey.read(path) == key
    except ConfigError:
        return False


def _see_that_it_holds(path: Path, key: IdentifierKey) -> None:
    if not _holds(path, key):
        raise WarehouseError(
            f"{path}: does not hold the new key {key.key_id} that was written to it. Restore it, "
            "or else the warehouse from a copy."
        )


def _advice(run: Run, new_key_file: Path, lines: int) -> str:
    """Tell what to do with a new key file, by the place of the old one."""
    old = key_place(run.warehouse.path, run.config.privacy)
    then = f"Put it in the place of {old}, or name it: [privacy] key_file is the simplest way"
    if KEY_VARIABLE in os.environ:
        then = f"Unset {KEY_VARIABLE} and name the file: [privacy] key_file is the simplest way"
    return (
        f"{new_key_file} holds the new key, {lines} lines; the old key opens the warehouse no "
        f"more. {then}, since {KEY_VARIABLE} would have to hold all {lines} lines."
    )
