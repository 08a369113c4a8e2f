"""A run killed at any moment, then run again, leaves the tables of a run that was never killed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from simulation import simulate
from tests.warehouse.folders import hashes
from warehouse.database import Warehouse
from warehouse.keys import KEY_VARIABLE

_RUN = "import cli; cli.main()"
KEY = "a key for the tests only"


def start(logs: Path, db: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, "run", "--logs", str(logs), "--db", str(db)],
        env={**os.environ, KEY_VARIABLE: KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def finish(logs: Path, db: Path) -> None:
    """Run in this process, which has imported everything."""
    done = CliRunner().invoke(
        cli.app, ["run", "--logs", str(logs), "--db", str(db)], env={KEY_VARIABLE: KEY}
    )
    assert done.exit_code == 0, done.output


@pytest.mark.slow
def test_a_killed_run_run_again_is_a_run_that_was_never_killed(tmp_path: Path) -> None:
    logs, whole, killed = (tmp_path / name for name in ("logs", "whole.duckdb", "killed.duckdb"))
    simulate(logs, users=300, days=2, seed=5)
    finish(logs, whole)
    chosen = random.Random(20)  # noqa: S311
    for _ in range(3):
        process = start(logs, killed)
        while not killed.exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(chosen.uniform(0, 0.6))  # stages take about a tenth of a second each
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
    finish(logs, killed)
    with Warehouse.open(whole) as first, Warehouse.open(killed) as second:
        assert hashes(first)["credits"][0] > 0
        assert hashes(second) == hashes(first)
