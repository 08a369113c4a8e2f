"""A warehouse and a folder for logs, fresh for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.database import Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse.open(tmp_path / "ads.duckdb") as opened:
        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder
