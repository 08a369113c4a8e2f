"""Laws of reading a published file: whole, or not at all."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse.errors import InputFileError
from warehouse.importers.published_file import read_published

TEXT = "one\ttwo\n中\tfour\n".encode()


def _as_is(text: bytes) -> bytes:
    return text


@pytest.mark.parametrize("compress", [_as_is, gzip.compress, bz2.compress])
@pytest.mark.parametrize("name", ["log.txt", "log.gz", "log.bz2"])
def test_contents_not_the_suffix_tell_the_compression(
    tmp_path: Path, compress: Callable[[bytes], bytes], name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(compress(TEXT))

    assert read_published(path) == TEXT


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_parts_compressed_one_by_one_are_read_to_the_last(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "log"
    path.write_bytes(compress(TEXT) + compress(TEXT))

    assert read_published(path) == TEXT + TEXT


def test_byte_order_mark_is_no_part_of_the_first_field(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT)

    assert read_published(path) == TEXT


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("kept", [8, -1])
def test_compressed_file_that_ends_early_is_refused(
    tmp_path: Path, compress: Callable[[bytes], bytes], kept: int
) -> None:
    path = tmp_path / "log"
    path.write_bytes(compress(TEXT)[:kept])

    with pytest.raises(InputFileError, match="log: the compressed file ends early"):
        read_published(path)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_damaged_compressed_file_is_refused(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "log"
    stored = bytearray(compress(TEXT))
    stored[12:20] = b"\xff" * 8
    path.write_bytes(stored)

    with pytest.raises(InputFileError, match="log: the compressed file is damaged"):
        read_published(path)


@pytest.mark.parametrize("stored", [b"", b"\n\r\n ", gzip.compress(b"", mtime=0), b"\xef\xbb\xbf"])
def test_file_without_text_is_refused_as_empty(tmp_path: Path, stored: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(stored)

    with pytest.raises(InputFileError, match="log: the file is empty"):
        read_published(path)


def test_other_encoding_is_refused_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\n" + "中".encode("gbk") + b"\n")

    with pytest.raises(InputFileError, match="log, line 3: byte 0xd6 is not UTF-8") as caught:
        read_published(path)
    assert "\n" not in str(caught.value)


def test_absent_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="absent: cannot be opened: No such file"):
        read_published(tmp_path / "absent")


def test_folder_is_refused_as_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be opened: Is a directory"):
        read_published(tmp_path)
