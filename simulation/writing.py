"""The folder tree of the logs."""

from pathlib import Path

import polars as pl

TABLES = ("activity", "touchpoints", "signals", "costs")


def prepare_folder(out: Path) -> None:
    """Create the output folder, or take an empty one.

    Raises
    ------
    FileExistsError
        If the folder holds anything, or the path is a file.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f"{out}: is not an empty folder. Name a new folder, or empty this one."
        )
    out.mkdir(parents=True, exist_ok=True)


def write_table(frame: pl.DataFrame, path: Path) -> int:
    """Write one Parquet file, the same bytes for the same rows, and return its rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A fixed row group: the default follows the frame's chunks, which follow the threads.
    frame.rechunk().write_parquet(path, compression="zstd", row_group_size=131_072, statistics=True)
    return frame.height
