"""A small world that a model has matched, for all tests that only read it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from matching import pair_model
from simulation import simulate
from simulation.config import WorldConfig

USERS, DAYS, SEED = 3_000, 3, 3
CONFIG = "[model]\nenough_signals = 100\n"


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
        # one thread: where others compute as well, waiting for each other takes most of the time
        patch.setitem(pair_model._PARAMETERS, "num_threads", 1)
        patch.setitem(pair_model.fit_trees.__kwdefaults__, "rounds", 80)
        words = ("run", "--logs", root / "logs", "--db", root / "ads.duckdb")
        done = CliRunner().invoke(
            cli.app, [*map(str, words), "--config", str(root / "config.toml")]
        )
    assert done.exit_code == 0, done.output
    return root / "ads.duckdb"
