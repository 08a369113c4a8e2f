"""Warehouses to begin with."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.stages.histories import Processed, Starter, process_in_turn
from tests.stages.settings import CONFIG, WORLDS
from tests.stages.worlds import make_logs
from warehouse.config import Config
from warehouse.database import Warehouse
from warehouse.runs import Run


@pytest.fixture
def start(empty_warehouse: Path, tmp_path: Path) -> Iterator[Starter]:
    """Return a function that begins a run on a new warehouse, or on a copy of one."""
    with ExitStack() as stack:
        numbers = itertools.count()

        def begin(config: Config = CONFIG, *, copy: Processed | None = None) -> Run:
            path = tmp_path / f"{next(numbers)}.duckdb"
            shutil.copy(empty_warehouse if copy is None else copy.path, path)
            return Run(stack.enter_context(Warehouse.open(path)), "run", config)

        yield begin


@pytest.fixture(scope="session")
def forward(tmp_path_factory: pytest.TempPathFactory) -> Processed:
    """Return worlds in which no signal is sent on two log days.

    The row that repeats a signal is refused when it is read; when the day of the other is replaced,
    only reading its own day again brings it back.
    """
    logs = make_logs(worlds=WORLDS, seed=2, sent_again=False)
    return process_in_turn(logs, tmp_path_factory.mktemp("forward"))
