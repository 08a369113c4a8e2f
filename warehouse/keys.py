"""The key under which identifiers are kept: raw e-mails, phones and ids never reach the warehouse.

An identifier is stored as HMAC-SHA256 (RFC 2104) of its kind and normalised value, cut to 128 bits.
The digest is computed by DuckDB while a batch is inserted (sql/ingest/macros.sql), from the pads of
the key. A warehouse whose key was changed holds digests of digests: its key is a chain of secrets,
the first of which digests the value and each later one the digest before.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from warehouse.config import PrivacyConfig
from warehouse.database import REWRITE_DUE, Warehouse
from warehouse.errors import ConfigError
from warehouse.files import write_secret
from warehouse.runs import Run

KEY_VARIABLE: Final = "ADSCRIBE_KEY"
_BLOCK_BYTES: Final = 64  # of SHA-256; RFC 2104 pads the key to one block
_SHORTEST_KEY: Final = 16
_DIGESTED: Final = (
    "activity", "touchpoints", "signals", "signal_identifiers", "identity_links", "signal_evidence",
    "replaced_identifiers", "once_shared_identifiers",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class IdentifierKey:
    """A secret key, never shown.

    Attributes
    ----------
    secrets : tuple of bytes
        The chain of secrets, the first one first; 16 bytes or more each.
    """

    secrets: tuple[bytes, ...]

    @classmethod
    def load(cls, database: Path, config: PrivacyConfig, *, make: bool = False) -> Self:
        """Find the key: the environment variable, the configured file, or one beside `database`.

        Parameters
        ----------
        database : Path
            The warehouse; the last place is ``<database>.key``.
        config : PrivacyConfig
            Names the file, if it is elsewhere.
        make : bool
            Whether to make the file beside the database, with a random key, where there is none:
            for a new warehouse only.

        Raises
        ------
        ConfigError
            If the key is shorter than 16 bytes, or its file cannot be read or made.
        """
        if KEY_VARIABLE in os.environ:
            return cls._checked(os.environ[KEY_VARIABLE].encode(), f"${KEY_VARIABLE}")
        path = config.key_file or database.with_name(database.name + ".key")
        if make and config.key_file is None and not path.exists():
            _write_new_key(path)
        return cls.read(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a key file: one secret a line.

        Raises
        ------
        ConfigError
            If it cannot be read, or holds a secret shorter than 16 bytes.
        """
        try:
            return cls._checked(path.read_bytes(), str(path))
        except OSError as error:
            raise ConfigError(
                f"{path}: the key of the warehouse cannot be read ({error.strerror}). Restore the "
                f"file, or set {KEY_VARIABLE}."
            ) from error

    @classmethod
    def _checked(cls, text: bytes, place: str) -> Self:
        found = tuple(line.strip() for line in text.splitlines() if line.strip())
        if not found or min(map(len, found)) < _SHORTEST_KEY:
            raise ConfigError(
                f"{place}: a key needs at least {_SHORTEST_KEY} bytes. "
                "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        return cls(found)

    def followed_by(self, other: Self) -> Self:
        """Return the chain of this key and, after it, another."""
        return type(self)((*self.secrets, *other.secrets))

    @property
    def key_id(self) -> str:
        """A name for the key that does not give it away (16 hexadecimal digits)."""
        name = ""
        for secret in self.secrets:
            name = hmac.new(secret, b"adscribe key id" + name.encode(), hashlib.sha256).hexdigest()
        return name[:16]

    @property
    def pads(self) -> dict[str, object]:
        """The pads of RFC 2104, as parameters of the insert statements.

        The first secret's are bytes; those of the others are hexadecimal digits, inner and outer
        pad in one text each.
        """
        first, *others = map(_pads, self.secrets)
        later = [inner.hex() + outer.hex() for inner, outer in others]
        return {"inner_pad": first[0], "outer_pad": first[1], "later_pads": later}


def _pads(secret: bytes) -> tuple[bytes, bytes]:
    key = hashlib.sha256(secret).digest() if len(secret) > _BLOCK_BYTES else secret
    block = key.ljust(_BLOCK_BYTES, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def open_key(warehouse: Warehouse, config: PrivacyConfig) -> IdentifierKey:
    """Return the key of a warehouse: made for a new one, and the same ever after.

    Raises
    ------
    ConfigError
        If there is no key, or it is not the one that the warehouse was written under.
    """
    is_new = warehouse.query("ledger/setting", name="key_id").is_empty()
    key = IdentifierKey.load(warehouse.path, config, make=is_new)
    bind_key(warehouse, key)
    return key


def bind_key(warehouse: Warehouse, key: IdentifierKey) -> None:
    """Note the key's id in a new warehouse; refuse any other key afterwards.

    Raises
    ------
    ConfigError
        If the warehouse was written under another key: its digests could never be found again.
    """
    known = warehouse.query("ledger/setting", name="key_id")
    if known.is_empty():
        warehouse.execute("ledger/record_setting", name="key_id", value=key.key_id)
    elif known.item() != key.key_id:
        raise ConfigError(
            f"{warehouse.path}: written under key {known.item()}, but the key given is "
            f"{key.key_id}. Give the warehouse's own key ({KEY_VARIABLE} or key_file)."
        )


def rekey(run: Run, key: IdentifierKey, new_key_file: Path) -> str:
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
        If the new file is there already, or cannot be written.
    """
    added = IdentifierKey((secrets.token_hex(32).encode(),))
    chain, warehouse = key.followed_by(added), run.warehouse
    pads = {name: added.pads[name] for name in ("inner_pad", "outer_pad")}
    warehouse.execute("ingest/macros")
    _write_key(new_key_file, chain, "Make its folder and let it be written, or name another file.")
    try:
        with run.stage("rekey", None) as counts:
            for table in _DIGESTED:
                counts.rows_out += warehouse.execute(f"privacy/rekey_{table}", **pads)
            warehouse.execute("privacy/update_setting", name="key_id", value=chain.key_id)
            warehouse.execute("ledger/record_setting", name=REWRITE_DUE, value=run.run_id)
    except BaseException:
        if warehouse.query("ledger/setting", name="key_id").item() == key.key_id:
            new_key_file.unlink()  # nothing was committed
        raise
    return _advice(warehouse.path, run.config.privacy, new_key_file, len(chain.secrets))


def _advice(database: Path, config: PrivacyConfig, new_key_file: Path, lines: int) -> str:
    """Tell what to do with a new key file, by the place of the old one."""
    old = config.key_file or database.with_name(database.name + ".key")
    then = f"Put it in the place of {old}, or name it: [privacy] key_file is the simplest way"
    if KEY_VARIABLE in os.environ:
        then = f"Unset {KEY_VARIABLE} and name the file: [privacy] key_file is the simplest way"
    return (
        f"{new_key_file} holds the new key, {lines} lines; the old key opens the warehouse no "
        f"more. {then}, since {KEY_VARIABLE} would have to hold all {lines} lines."
    )


def _write_new_key(path: Path) -> None:
    key = IdentifierKey((secrets.token_hex(32).encode(),))
    _write_key(path, key, f"Make the folder writable, or set {KEY_VARIABLE}.")


def _write_key(path: Path, key: IdentifierKey, mend: str) -> None:
    try:
        write_secret(path, b"".join(secret + b"\n" for secret in key.secrets))
    except FileExistsError as error:
        raise ConfigError(
            f"{path}: there already. Name a new file; keys are never written over."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{path}: the key of the warehouse cannot be written ({error.strerror}). {mend}"
        ) from error
