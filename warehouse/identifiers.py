"""The key under which identifiers are kept: raw e-mails, phones and ids never reach the warehouse.

An identifier is stored as HMAC-SHA256 (RFC 2104) of its kind and normalised value. The digest is
computed by DuckDB while a batch is inserted (sql/ingest/macros.sql), from the two pads of the key.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from warehouse.config import PrivacyConfig
from warehouse.database import Warehouse
from warehouse.errors import ConfigError

KEY_VARIABLE: Final = "ADSCRIBE_KEY"
_BLOCK_BYTES: Final = 64  # of SHA-256; RFC 2104 pads the key to one block
_SHORTEST_KEY: Final = 16


@dataclass(frozen=True, repr=False)
class IdentifierKey:
    """A secret key, never shown.

    Attributes
    ----------
    secret : bytes
        The key itself, 16 bytes or more.
    """

    secret: bytes

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
        try:
            return cls._checked(path.read_bytes().strip(), str(path))
        except OSError as error:
            raise ConfigError(
                f"{path}: the key of the warehouse cannot be read ({error.strerror}). Restore the "
                f"file, or set {KEY_VARIABLE}."
            ) from error

    @classmethod
    def _checked(cls, secret: bytes, place: str) -> Self:
        if len(secret) < _SHORTEST_KEY:
            raise ConfigError(
                f"{place}: a key needs at least {_SHORTEST_KEY} bytes. "
                "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        return cls(secret)

    @property
    def key_id(self) -> str:
        """A name for the key that does not give it away (16 hexadecimal digits)."""
        return hmac.new(self.secret, b"adscribe key id", hashlib.sha256).hexdigest()[:16]

    @property
    def pads(self) -> dict[str, bytes]:
        """The inner and outer pad of RFC 2104, as parameters of the insert statements."""
        key = (
            hashlib.sha256(self.secret).digest() if len(self.secret) > _BLOCK_BYTES else self.secret
        )
        block = key.ljust(_BLOCK_BYTES, b"\0")
        return {
            "inner_pad": bytes(byte ^ 0x36 for byte in block),
            "outer_pad": bytes(byte ^ 0x5C for byte in block),
        }


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


def _write_new_key(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(
            f"{path}: the key of the warehouse cannot be written ({error.strerror}). "
            f"Make the folder writable, or set {KEY_VARIABLE}."
        ) from error
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
