"""A small world that a model has matched, for tests that only read it, and an empty warehouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from matching import pair_model
from simulation import simulate
from simulation.config import WorldConfig
from warehouse.database import Warehouse

USERS, DAYS, SEED = 3_000, 3, 3
CONFIG = "[model]\nenough_signals = 100\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Yield a warehouse without rows."""
    with Warehouse.open(tmp_path_factory.mktemp("tiny") / "w.duckdb") as warehouse:
        yield warehouse


@pytest.fixture
def warehouse(made: Warehouse) -> Iterator[Warehouse]:
    """Yield the empty warehouse; what a test writes is undone."""
    made._connection.execute("BEGIN TRANSACTION")
    yield made
    made._connection.execute("ROLLBACK")


@pytest.fixture(scope="session")
def modelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a warehouse whose last day a model has matched; it must stay as it is.

    Its configuration lies beside it: config.toml. People buy ten times as often as elsewhere, and
    the model has few trees, so that little time goes by.
    """
    root = tmp_path_factory.mktemp("modelled")
    busy = WorldConfig(episodes_per_person_day=0.5)
    simulate(root / "logs", users=USERS, days=DAYS, seed=SEED, config=busy)
    (root / "config.toml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pair_model.fit_trees.__kwdefaults__, "rounds", 80)
        words = ("run", "--logs", root / "logs", "--db", root / "ads.duckdb")
        done = CliRunner().invoke(
            cli.app, [*map(str, words), "--config", str(root / "config.toml")]
        )
    assert done.exit_code == 0, done.output
    return root / "ads.duckdb"
