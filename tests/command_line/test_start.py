"""What a command imports before it does anything."""

import json
import subprocess
import sys

import pytest

# half a second or so each, and of use to few commands
SLOW = {"lightgbm", "pandas", "scipy.optimize", "scipy.stats", "sklearn"}


@pytest.mark.parametrize(
    "start",
    ["import cli", "import attribution, matching, simulation, terminal", "import daily"],
)
def test_a_command_starts_without_packages_that_are_slow_to_import(start: str) -> None:
    told = f"{start}, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, check=True, text=True)
    assert SLOW.isdisjoint(json.loads(done.stdout))
