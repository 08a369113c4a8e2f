"""What reports know of the settings."""

import logging
from pathlib import Path

import pytest

from attribution.settings import keep_rules
from warehouse.database import Warehouse


def test_a_run_by_other_rules_than_before_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "adscribe")
    with Warehouse.open(tmp_path / "ads.duckdb") as warehouse:
        for version in ("a1", "a1", "b2", "b2"):
            keep_rules(warehouse, version)

    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert "(b2, until now a1)" in told[0]
