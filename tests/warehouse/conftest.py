"""A warehouse and a folder for logs, fresh for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.database import Warehouse


@pytest.fixture
def warehouse(empty_warehouse: Path, tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse.open(shutil.copy(empty_warehouse, tmp_path / "ads.duckdb")) as opened:
        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder
