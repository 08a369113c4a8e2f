"""Fixed-width strings built as byte matrices: no Python object a row."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from simulation.arrays import Bools, Chars, Ints, Words

_HEX_PAIRS = np.frombuffer("".join(f"{i:02x}" for i in range(256)).encode(), dtype=np.uint8)
_HEX = _HEX_PAIRS.reshape(256, 2)
_OCTETS = pl.Series([str(i) for i in range(256)], dtype=pl.String)


def hex_chars(words: Words) -> Chars:
    """Return the 16 lower-case hexadecimal digits of each word."""
    return byte_hex_chars(words.astype(">u8").view(np.uint8).reshape(-1, 8))


def byte_hex_chars(rows: Chars) -> Chars:
    """Return two hexadecimal digits for each byte of each row (a digest, say)."""
    return _HEX[rows].reshape(len(rows), 2 * rows.shape[1])


def digit_chars(numbers: Ints, width: int) -> Chars:
    """Return the last `width` decimal digits of each number, zero-padded."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def join_chars(*parts: Chars | bytes) -> pl.Series:
    """Return one string a row: the parts side by side, bytes repeated on each row."""
    rows = next(len(part) for part in parts if isinstance(part, np.ndarray))
    blocks = [
        part
        if isinstance(part, np.ndarray)
        else np.broadcast_to(np.frombuffer(part, dtype=np.uint8), (rows, len(part)))
        for part in parts
    ]
    chars = np.ascontiguousarray(np.concatenate(blocks, axis=1))
    offsets = np.arange(rows + 1, dtype=np.int64) * chars.shape[1]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(chars)]
    strings = pa.LargeStringArray.from_buffers(rows, buffers[1], buffers[2], None)
    return pl.Series(strings, dtype=pl.String)


def uuid_text(words: Words) -> pl.Series:
    """Return each word as a UUID-shaped string: 8-4-4-4-12 hexadecimal digits."""
    # The second half must not repeat the first, yet needs no entropy of its own.
    high, low = hex_chars(words), hex_chars(words * np.uint64(0xD1342543DE82EF95))
    return join_chars(
        high[:, :8], b"-", high[:, 8:12], b"-4", high[:, 12:15], b"-", low[:, :4], b"-", low[:, 4:]
    )


def address_text(high: Words, low: Words) -> pl.Series:
    """Return IP addresses: IPv4 of `low` where `high` is 0, else IPv6 of both.

    Every group of the IPv6 addresses made here starts with a digit above 0, so that plain
    hexadecimal digits are the canonical form of RFC 5952.
    """
    octets = [
        _OCTETS.gather((low >> np.uint64(s) & np.uint64(255)).astype(np.uint32))
        for s in (24, 16, 8, 0)
    ]
    dotted = pl.select(pl.concat_str(*octets, separator=".")).to_series()
    sixth = np.flatnonzero(high)
    if len(sixth) == 0:
        return dotted
    digits = np.concatenate([hex_chars(high[sixth]), hex_chars(low[sixth])], axis=1)
    groups: list[Chars | bytes] = [digits[:, :4]]
    for start in range(4, 32, 4):
        groups += [b":", digits[:, start : start + 4]]
    return dotted.scatter(sixth, join_chars(*groups))


def pick(
    values: pl.Series | Sequence[str], codes: npt.NDArray[np.integer], valid: Bools | None = None
) -> pl.Series:
    """Return the value at each code, null where not `valid`."""
    series = values if isinstance(values, pl.Series) else pl.Series(values, dtype=pl.String)
    return keep(series.gather(codes.astype(np.uint32)), valid)


def keep(series: pl.Series, valid: Bools | None) -> pl.Series:
    """Return the series with null wherever `valid` is false."""
    if valid is None:
        return series
    return pl.select(pl.when(pl.Series(valid)).then(series)).to_series()
