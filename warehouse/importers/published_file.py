"""Reading a published file whole, and refusing one that is damaged.

What is read here is a finished file that somebody published, not a log that is still growing: a
file that ends early or is in another encoding is a broken download, and no part of it is used.
"""

import bz2
import gzip
import zlib
from pathlib import Path
from typing import Final

from warehouse.errors import InputFileError

_GZIP: Final = b"\x1f\x8b"
_BZIP2: Final = b"BZh"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def read_published(path: Path) -> bytes:
    """Return the text of a plain, gzip or bzip2 file as UTF-8 bytes.

    The first bytes tell the compression, so a file whose name lost its suffix is read as well.

    Parameters
    ----------
    path : Path
        The published file.

    Returns
    -------
    bytes
        The decompressed text without a byte order mark.

    Raises
    ------
    InputFileError
        If the file cannot be opened, ends early, is damaged, holds no text or is not UTF-8.
    """
    try:
        stored = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputFileError(
            f"{path}: cannot be opened: {reason}. Check the path and its permissions."
        ) from error
    text = _decompress(stored, path).removeprefix(_BYTE_ORDER_MARK)
    if not text or text.isspace():
        raise InputFileError(f"{path}: the file is empty. Download it again.")
    _require_utf8(text, path)
    return text


def _decompress(stored: bytes, path: Path) -> bytes:
    try:
        if stored.startswith(_GZIP):
            return gzip.decompress(stored)
        if stored.startswith(_BZIP2):
            return bz2.decompress(stored)
    except (EOFError, ValueError) as error:  # gzip says the one, bz2 the other
        raise InputFileError(
            f"{path}: the compressed file ends early, after {len(stored):,} bytes. "
            "Download it again."
        ) from error
    except (OSError, zlib.error) as error:
        raise InputFileError(
            f"{path}: the compressed file is damaged: {error}. Download it again."
        ) from error
    return stored


def _require_utf8(text: bytes, path: Path) -> None:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise InputFileError(
            f"{path}, line {line}: byte 0x{text[error.start]:02x} is not UTF-8. "
            "Convert the file to UTF-8."
        ) from error
