"""Whether a file is whole text, told before its parser sees it.

The parser stops silently where a Zstandard stream is cut short, and does not compare a gzip's
checksum: a compressed file is therefore unpacked once for nothing but that.
"""

import csv
from typing import Final

import pyarrow as pa

from warehouse.errors import InputFileError
from warehouse.logs import LogFile

_CHUNK: Final = 1 << 20
_BINARY: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "Zstandard", b"PAR1": "Parquet"}
_DELIMITERS: Final = (",", "\t", ";", "|")


def beginning(file: LogFile) -> bytes:
    """Return the first megabyte of a text file, unpacked, without a byte order mark.

    Raises
    ------
    InputFileError
        If it is empty, cut short, damaged, UTF-16 or of another format than its name says.
    """
    packing = {".gz": "gzip", ".zst": "zstd"}.get(file.path.suffix)
    with pa.input_stream(str(file.path), compression=packing) as stream:
        start = stream.read(_CHUNK)
        while packing and stream.read(_CHUNK):
            pass
    if not start:
        raise empty(file)
    for magic, name in _BINARY.items():
        if start.startswith(magic):
            raise InputFileError(
                f"{file.name}: holds {name}, not text. Give the file the ending of its format."
            )
    if b"\0" in start[:4] or start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _no_utf8(file)
    return bytes(start.removeprefix(b"\xef\xbb\xbf"))


def header(file: LogFile) -> tuple[list[str], str]:
    """Return the column names of a delimited file, and what stands between them.

    Raises
    ------
    InputFileError
        If the file is not whole, or its first line cannot be a header.
    """
    start = beginning(file)
    line = start.replace(b"\r", b"\n").partition(b"\n")[0]
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _no_utf8(file) from error
    if "\0" in text:
        raise _no_utf8(file)
    delimiter = max(_DELIMITERS, key=text.count)
    try:
        names = [name.strip() for name in next(csv.reader([text], delimiter=delimiter))]
    except (csv.Error, StopIteration):
        names = []
    if not any(names):
        raise InputFileError(
            f"{file.name}: no header line. Put the column names in the first line."
        )
    return names, delimiter


def require_lines(file: LogFile) -> None:
    """Refuse a JSON file that is not one object a line.

    Raises
    ------
    InputFileError
        If the file is not whole, or is one JSON array.
    """
    if beginning(file).lstrip().startswith(b"["):
        raise InputFileError(
            f"{file.name}: a JSON array, not JSON lines. Export one object a line."
        )


def empty(file: LogFile) -> InputFileError:
    """Return the error for a file without a byte."""
    return InputFileError(
        f"{file.name}: the file is empty. Export it again, with its header alone if there were no "
        "rows."
    )


def _no_utf8(file: LogFile) -> InputFileError:
    return InputFileError(f"{file.name}: the text is not UTF-8. Export it as UTF-8.")
