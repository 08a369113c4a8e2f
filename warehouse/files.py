"""Files that outlive a crash."""

import os
import shutil
from pathlib import Path


def sync(path: Path) -> None:
    """Have the disk hold what a file, or a folder's list of files, says by now."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(fresh: Path, place: Path) -> None:
    """Move a file to the place and permissions of another; a crash leaves one or the other."""
    shutil.copymode(place, fresh)
    sync(fresh)
    fresh.replace(place)
    sync(place.parent)


def write_secret(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read, and have the disk hold it.

    Raises
    ------
    OSError
        If there is a file already, or it cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)
