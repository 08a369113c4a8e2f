"""The same examples in every run, unless new ones are asked for, and each file on one worker.

``make test`` repeats itself; ``pytest --hypothesis-profile=explore`` draws new ones.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings
from typer import testing
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

from attribution.learned.incremental import IncrementalModel
from warehouse.database import Warehouse

settings.register_profile("repeat", derandomize=True, database=None)
settings.register_profile("explore", database=None)
settings.load_profile("repeat")


@pytest.fixture(scope="session", autouse=True)
def few_replicates() -> Iterator[None]:
    """Fit the incremental model no more often than an error needs; who looks at errors says more.

    A daily run fits it beside the other models, wherever a test begins with one.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(IncrementalModel.fit.__func__.__kwdefaults__, "replicates", 2)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_width() -> Iterator[None]:
    """Print tables as wide as into any pipe, whatever the terminal that the tests run in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_command_tree() -> Iterator[None]:
    """Build the commands once and not at every call of one: each test calls many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testing, "_get_command", cache(testing._get_command))
        yield


@pytest.fixture(scope="session")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a warehouse without rows, to copy: to make one takes six times as long."""
    path = tmp_path_factory.mktemp("empty_warehouse") / "empty.duckdb"
    with Warehouse.open(path):
        return path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Keep the tests of a file together, so that no worker makes again what they share.

    Files are handed out in the order of their names, for the tests of the first folders take
    longest. What --dist asks for goes before.
    """
    if config.getoption("dist") != "load":
        return None
    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)
