"""What several tests of reports read."""

from collections.abc import Iterator

import pytest

from tests.attribution.made_up import made_up, store
from warehouse.database import Warehouse


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Yield a warehouse with credit under two models."""
    with Warehouse.open(tmp_path_factory.mktemp("reports") / "w.duckdb") as warehouse:
        store(warehouse, made_up(seed=1))
        yield warehouse
