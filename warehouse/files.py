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
    """Move a file to the place, owner, group and permissions of another.

    A crash leaves one or the other.

    Raises
    ------
    OSError
        If the file cannot be moved, or be given to the other's owner and group.
    """
    stored, made = place.stat(), fresh.stat()
    if (stored.st_uid, stored.st_gid) != (made.st_uid, made.st_gid):
        try:
            os.chown(fresh, stored.st_uid, stored.st_gid)
        except PermissionError as error:
            raise PermissionError(
                error.errno,
                f"a copy cannot be given to its owner {stored.st_uid} and group {stored.st_gid}; "
                "run this as that user",
            ) from error
    shutil.copymode(place, fresh)
    sync(fresh)
    fresh.replace(place)
    sync(place.parent)


def write_secret(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read, and have the disk hold it.

    Raises
    ------
    OSError
        If there is a file already, or it cannot be written; nothing of it is left then.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
