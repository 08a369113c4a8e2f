"""The key under which identifiers are kept: raw e-mails, phones and ids never reach the warehouse.

An identifier is stored as HMAC-SHA256 (RFC 2104) of its kind and normalised value, cut to 128 bits.
The digest is computed by DuckDB while a batch is inserted (sql/ingest/macros.sql), from the pads of
the key. A warehouse whose key was changed holds digests of digests: its key is a chain of secrets,
the first of which digests the value and each later one the digest before.
"""

import errno
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from warehouse.config import PrivacyConfig
from warehouse.database import Warehouse
from warehouse.errors import ConfigError
from warehouse.files import write_secret
from warehouse.key_lines import SHORTEST, chains, written

KEY_VARIABLE: Final = "ADSCRIBE_KEY"
_BLOCK_BYTES: Final = 64  # of SHA-256; RFC 2104 pads the key to one block
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, repr=False)
class IdentifierKey:
    """A secret key, never shown.

    Attributes
    ----------
    secrets : tuple of bytes
        The chain of secrets, the first one first; 16 bytes or more each.
    readings : tuple of tuple of bytes
        Other chains that the same file may stand for, as its bytes can be read in several ways.
    """

    secrets: tuple[bytes, ...]
    readings: tuple[tuple[bytes, ...], ...] = field(default=(), compare=False)

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
            return cls._checked(os.fsencode(os.environ[KEY_VARIABLE]), f"${KEY_VARIABLE}")
        path = key_place(database, config)
        if make and config.key_file is None and not path.exists():
            _write_new_key(path)
        return cls.read(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a key file: one secret a line, or any other bytes as one secret.

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
        found, *others = chains(text) or [()]
        if not found:
            raise ConfigError(
                f"{place}: a key needs at least {SHORTEST} bytes. "
                "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        return cls(found, tuple(others))

    def fitting(self, key_id: str) -> Self | None:
        """Return the reading that has an id; None where none has."""
        keys = map(type(self), (self.secrets, *self.readings))
        return next((key for key in keys if key.key_id == key_id), None)

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
    return bind_key(warehouse, IdentifierKey.load(warehouse.path, config, make=is_new))


def bind_key(warehouse: Warehouse, key: IdentifierKey) -> IdentifierKey:
    """Note the key's id in a new warehouse; refuse any other key afterwards.

    Returns
    -------
    IdentifierKey
        The reading of `key` that is the warehouse's.

    Raises
    ------
    ConfigError
        If the warehouse was written under another key: its digests could never be found again.
    """
    known = warehouse.query("ledger/setting", name="key_id")
    if known.is_empty():
        warehouse.execute("ledger/record_setting", name="key_id", value=key.key_id)
        return key
    fitting = key.fitting(known.item())
    if fitting is None:
        raise ConfigError(
            f"{warehouse.path}: written under key {known.item()}, but the key given is "
            f"{key.key_id}. Give the warehouse's own key ({KEY_VARIABLE} or key_file)."
        )
    return fitting


def key_place(database: Path, config: PrivacyConfig) -> Path:
    """Return the file of the key, which counts unless the environment holds one.

    Raises
    ------
    ConfigError
        If the configured path can be no file's.
    """
    if config.key_file is None:
        return database.with_name(database.name + ".key")
    if "\0" in str(config.key_file):
        raise ConfigError("[privacy] key_file: no path holds a NUL sign. Name another file.")
    try:
        return config.key_file.expanduser()
    except RuntimeError as error:
        raise ConfigError(
            f"[privacy] key_file: {config.key_file}: no such home folder. Name the file in full."
        ) from error


def _write_new_key(path: Path) -> None:
    key = IdentifierKey((secrets.token_hex(32).encode(),))
    write_key(path, key, f"Make the folder writable, or set {KEY_VARIABLE}.")


def write_key(path: Path, key: IdentifierKey, mend: str) -> None:
    """Write a key to a new file, one secret a line; `mend` is what helps where it cannot be.

    Raises
    ------
    ConfigError
        If there is a file already, or it cannot be written.
    """
    try:
        write_secret(path, b"".join(written(secret) + b"\n" for secret in key.secrets))
    except FileExistsError as error:
        raise ConfigError(
            f"{path}: there already. Name a new file; keys are never written over."
        ) from error
    except OSError as error:
        mend = "Free some space on the disk." if error.errno in _FULL else mend
        raise ConfigError(
            f"{path}: the key of the warehouse cannot be written ({error.strerror}). {mend}"
        ) from error
